/**
 * From a type as it is written to the type that it means; structs, enums and aliases on the way.
 */

import ts from 'typescript';
import { pointerBytes } from '../target.ts';
import {
  bool,
  type EnumType,
  errorType,
  type FunctionType,
  neverType,
  SCALARS,
  type StructType,
  stringType,
  type Type,
  voidType,
} from '../types.ts';
import { checkConstant } from './constants.ts';
import {
  type AliasSymbol,
  type Context,
  type EnumSymbol,
  moduleContext,
  report,
  type StructSymbol,
} from './context.ts';
import { layoutOf } from './layout.ts';
import { lookup } from './lookup.ts';

/** The type that a type node means. Reports and gives the error type if there is none. */
export function typeFrom(context: Context, node: ts.TypeNode): Type {
  const { types } = context.checker;
  if (ts.isParenthesizedTypeNode(node)) return typeFrom(context, node.type);
  if (ts.isFunctionTypeNode(node)) return functionTypeFrom(context, node);
  switch (node.kind) {
    case ts.SyntaxKind.VoidKeyword:
      return voidType;
    case ts.SyntaxKind.NeverKeyword:
      return neverType;
    case ts.SyntaxKind.StringKeyword:
      return stringType;
    case ts.SyntaxKind.BooleanKeyword:
      return bool;
  }
  if (!ts.isTypeReferenceNode(node) || !ts.isIdentifier(node.typeName)) {
    report(context, node, 'MU205', { name: node.getText() });
    return errorType;
  }
  const name = node.typeName.text;
  const given = node.typeArguments ?? [];
  const symbol = lookup(context, name, node);
  if (symbol?.kind === 'failed') return errorType;
  if (symbol !== undefined) {
    if (given.length > 0) {
      report(context, node, 'MU209', { name, expected: 0, actual: given.length });
    }
    if (symbol.kind === 'struct') return structType(context, symbol);
    if (symbol.kind === 'enum') return enumType(context, symbol);
    if (symbol.kind === 'alias') return aliasType(context, symbol);
    report(context, node, 'MU205', { name });
    return errorType;
  }

  const parameters = { Ptr: 1, FixedArray: 2, Efi: 1 }[name];
  if (parameters !== undefined) {
    if (given.length !== parameters) {
      report(context, node, 'MU209', { name, expected: parameters, actual: given.length });
      return errorType;
    }
    const first = typeFrom(context, given[0]);
    if (first === errorType) return errorType;
    if (name === 'Ptr') return types.pointer(first);
    if (name === 'FixedArray') return arrayType(context, first, given[1]);
    if (first.kind !== 'function') {
      const instead = 'Efi<(a: usize) => usize>';
      report(context, node, 'MU301', { expected: 'a function type', actual: first.name, instead });
      return errorType;
    }
    return types.function(first.parameters, first.result, 'efi');
  }
  const builtin = SCALARS.get(name) ?? types.vectorNamed(name);
  if (builtin !== undefined && given.length === 0) return builtin;
  report(context, node, 'MU205', { name: node.getText() });
  return errorType;
}

function functionTypeFrom(context: Context, node: ts.FunctionTypeNode): FunctionType {
  const parameters = node.parameters.map((parameter) => parameterType(context, parameter));
  return context.checker.types.function(parameters, typeFrom(context, node.type));
}

/** The type of a parameter, which must be written and fit a register. */
export function parameterType(context: Context, node: ts.ParameterDeclaration): Type {
  const name = node.name.getText();
  if (!ts.isIdentifier(node.name)) {
    const instead = 'take the struct by Ptr and read its fields';
    report(context, node, 'MU101', { what: 'destructuring', instead });
    return errorType;
  }
  if (node.dotDotDotToken !== undefined || node.questionToken !== undefined || node.initializer) {
    const instead = 'a function takes a fixed number of arguments';
    report(context, node, 'MU101', { what: 'an optional or rest parameter', instead });
    return errorType;
  }
  if (node.type === undefined) {
    report(context, node, 'MU316', { what: `parameter "${name}"`, example: `${name}: i32` });
    return errorType;
  }
  const type = typeFrom(context, node.type);
  return requireValue(context, node.type, type, 'a parameter');
}

/**
 * Variables, parameters and results hold what fits a register; structs and arrays stay where they
 * are.
 */
export function requireValue(context: Context, node: ts.Node, type: Type, what: string): Type {
  const instead =
    type.kind === 'struct' || type.kind === 'array' ? `use Ptr<${type.name}>` : 'use another type';
  if (['struct', 'array', 'void', 'null', 'never'].includes(type.kind)) {
    report(context, node, 'MU307', { type: type.name, what, instead });
    return errorType;
  }
  return type;
}

function arrayType(context: Context, of: Type, count: ts.TypeNode): Type {
  if (of.kind === 'void' || of.kind === 'never') {
    report(context, count, 'MU307', { type: of.name, what: 'an array', instead: 'use u8' });
    return errorType;
  }
  const value = arrayCount(context, count);
  if (value === undefined) return errorType;
  if (typeof value !== 'bigint' || value < 1n || value > 2n ** 40n) {
    const range = '1 and more';
    report(context, count, 'MU304', { value: String(value), type: 'the size of an array', range });
    return errorType;
  }
  return context.checker.types.array(of, Number(value));
}

function arrayCount(context: Context, node: ts.TypeNode) {
  if (ts.isLiteralTypeNode(node) && ts.isNumericLiteral(node.literal)) {
    return checkConstant(context, node.literal)?.value;
  }
  if (ts.isTypeQueryNode(node) && ts.isIdentifier(node.exprName)) {
    return checkConstant(context, node.exprName)?.value;
  }
  report(context, node, 'MU401', { what: 'the size of an array (a literal or typeof CONSTANT)' });
  return undefined;
}

export function structType(context: Context, symbol: StructSymbol): StructType {
  if (symbol.state === 'new') fillStruct(moduleContext(context.checker, symbol.module), symbol);
  return symbol.type;
}

/**
 * Fields with their offsets, by the rules of C. A field that holds the struct itself has no end and
 * is refused.
 */
function fillStruct(context: Context, symbol: StructSymbol): void {
  const { type, node } = symbol;
  symbol.state = 'working';
  type.packed = symbol.tags.has('packed');
  if (node.heritageClauses !== undefined || node.typeParameters !== undefined) {
    const what = node.typeParameters === undefined ? 'inheritance' : 'a generic class';
    const instead = 'hold the other struct as a field';
    report(context, node, 'MU101', { what, instead });
  }
  for (const member of node.members) {
    if (!ts.isPropertyDeclaration(member) || !ts.isIdentifier(member.name)) {
      const instead = 'write a function that takes a Ptr to the struct';
      report(context, member, 'MU101', { what: 'a method', instead });
      continue;
    }
    const name = member.name.text;
    if (member.initializer !== undefined || (member.modifiers?.length ?? 0) > 0) {
      const what = 'an initial value or modifier of a field';
      report(context, member, 'MU101', {
        what,
        instead: `${name}!: u32, all fields start as zero`,
      });
    }
    if (member.type === undefined) {
      report(context, member, 'MU316', { what: `field "${name}"`, example: `${name}!: u32` });
      continue;
    }
    if (type.fields.some((field) => field.name === name)) {
      report(context, member, 'MU202', { name });
      continue;
    }
    const fieldType = typeFrom(context, member.type);
    if (containsUnfinished(context, fieldType)) {
      report(context, member, 'MU315', { type: fieldType.name });
      continue;
    }
    if (fieldType.kind === 'void' || fieldType.kind === 'never') {
      const instead = 'use another type';
      report(context, member, 'MU307', { type: fieldType.name, what: 'a field', instead });
      continue;
    }
    if (fieldType === errorType) continue;
    const { size, align } = layoutOf(fieldType, pointerBytes(context.checker.target));
    const step = type.packed ? 1 : align;
    const offset = Math.ceil(type.size / step) * step;
    type.fields.push({ name, type: fieldType, offset });
    type.size = offset + size;
    type.align = Math.max(type.align, step);
  }
  const align = Number(symbol.tags.get('align') ?? 1);
  type.align = Math.max(type.align, align);
  type.size = Math.ceil(type.size / type.align) * type.align;
  if (node.members.length === 0) {
    const instead = 'give it at least one field';
    report(context, node, 'MU101', { what: 'an empty struct', instead });
  }
  symbol.state = 'done';
}

function containsUnfinished(context: Context, type: Type): boolean {
  if (type.kind === 'array') return containsUnfinished(context, type.of);
  if (type.kind !== 'struct') return false;
  for (const names of context.checker.symbols.values()) {
    for (const symbol of names.values()) {
      if (symbol.kind === 'struct' && symbol.type === type) return symbol.state === 'working';
    }
  }
  return false;
}

export function enumType(context: Context, symbol: EnumSymbol): EnumType {
  if (symbol.state !== 'new') return symbol.type;
  symbol.state = 'working';
  const inner = moduleContext(context.checker, symbol.module);
  let next = 0;
  for (const member of symbol.node.members) {
    const name = member.name.getText();
    if (member.initializer !== undefined) {
      const value = checkConstant(inner, member.initializer, SCALARS.get('i32'))?.value;
      next = typeof value === 'bigint' ? Number(value) : 0;
    }
    if (symbol.type.members.has(name)) report(inner, member, 'MU202', { name });
    symbol.type.members.set(name, next);
    next += 1;
  }
  symbol.state = 'done';
  return symbol.type;
}

export function aliasType(context: Context, symbol: AliasSymbol): Type {
  if (symbol.state === 'working') {
    report(context, symbol.node, 'MU205', { name: symbol.name });
    return errorType;
  }
  if (symbol.type === undefined) {
    symbol.state = 'working';
    const inner = moduleContext(context.checker, symbol.module);
    if (symbol.node.typeParameters !== undefined) {
      const what = 'a generic type alias';
      report(inner, symbol.node, 'MU101', { what, instead: 'write the type out' });
    }
    symbol.type = typeFrom(inner, symbol.node.type);
    symbol.state = 'done';
  }
  return symbol.type;
}
