/** Inline assembly: `asm(text, operands)` as a statement of a function, or at module level. */

import ts from 'typescript';
import { pointerBytes } from '../target.ts';
import type {
  Assembly,
  AssemblyInput,
  AssemblyOutput,
  AssemblyPiece,
  Expression,
} from '../tree.ts';
import { SCALARS, type Type, usize } from '../types.ts';
import { type Context, place, report } from './context.ts';
import { checkExpression, checkTarget, checkValue } from './expressions.ts';
import { bitsOf } from './fold.ts';
import { canBeClobbered, machineRegister } from './machineRegisters.ts';
import { isUntyped } from './operators.ts';

export function isAssembly(node: ts.Expression): node is ts.CallExpression {
  return (
    ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'asm'
  );
}

/** Groups of operands, and what each is. */
const GROUPS = ['in', 'out', 'use', 'clobbers', 'memory'] as const;
type Groups = Partial<Record<(typeof GROUPS)[number], ts.Expression>>;

/** One `name: value` of a group. */
interface Property {
  node: ts.Node;
  name: string;
  value: ts.Expression;
}

/**
 * Undefined if it has been refused. In a function or, without operands but `use`, at module level.
 */
export function checkAssembly(context: Context, node: ts.CallExpression): Assembly | undefined {
  const { arch } = context.checker.target;
  if (arch === 'wasm32') {
    report(context, node, 'MU601', { target: arch });
    return undefined;
  }
  const before = context.checker.diagnostics.length;
  const [text, operands] = node.arguments;
  if (node.arguments.length < 1 || node.arguments.length > 2) {
    const values = { name: 'asm', expected: '1 to 2', actual: node.arguments.length };
    report(context, node, 'MU308', { ...values, parameters: 'text, operands' });
    return undefined;
  }
  if (!ts.isStringLiteralLike(text)) {
    report(context, text, 'MU604', {
      problem: 'the text is no literal',
      instead: 'a string, or several lines in backticks; values go in by `in` and `use`',
    });
    return undefined;
  }
  const groups = operands === undefined ? {} : readGroups(context, operands);
  const named = new Set([...text.text.matchAll(NAME)].map(([, name]) => name));
  const [into, outOf] = [properties(context, groups.in), properties(context, groups.out)];
  const outputs = outOf.flatMap((p) => output(context, p, named));
  const inputs = into.flatMap((p) => input(context, p, named));
  const symbols = new Map(properties(context, groups.use).map((p) => [p.name, symbol(context, p)]));
  const clobbers = clobbered(context, groups.clobbers);
  checkTwice(context, node, outputs, clobbers);
  checkTwice(context, node, inputs, clobbers);
  const known = new Set([...into, ...outOf].map(({ name }) => name));
  const pieces = split(dedent(text.text), (name) => {
    const found = symbols.get(name);
    if (found !== undefined) return found;
    if (known.has(name)) return { operand: name };
    const instead = 'name an operand of `in`, `out` or `use`; a brace itself is {{ or }}';
    report(context, text, 'MU604', { problem: `{${name}} is none of its operands`, instead });
    return '';
  });
  for (const name of symbols.keys()) {
    if (!named.has(name)) {
      const instead = `write {${name}} there, or remove it`;
      report(context, node, 'MU604', { problem: `the text does not use "${name}"`, instead });
    }
  }
  if (context.checker.diagnostics.length > before) return undefined;
  const memory = groups.memory === undefined;
  return { pieces, outputs, inputs, clobbers, memory, place: place(context, node) };
}

/** A name in braces; two braces stand for one. */
const NAME = /\{\{|\}\}|\{(\w*)\}/g;

function split(text: string, piece: (name: string) => AssemblyPiece): AssemblyPiece[] {
  const pieces: AssemblyPiece[] = [];
  let at = 0;
  for (const match of text.matchAll(NAME)) {
    pieces.push(text.slice(at, match.index));
    pieces.push(match[1] === undefined ? match[0][0] : piece(match[1]));
    at = match.index + match[0].length;
  }
  return [...pieces, text.slice(at)];
}

/** Lines without the indentation that all have, and without blank ones at both ends. */
function dedent(text: string): string {
  const lines = text
    .replace(/^\s*\n/, '')
    .trimEnd()
    .split('\n');
  const depths = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const depth = Math.min(...depths);
  return lines.map((line) => line.slice(depth).trimEnd()).join('\n');
}

function readGroups(context: Context, node: ts.Expression): Groups {
  const groups: Groups = {};
  for (const { node: at, name, value } of properties(context, node)) {
    const group = GROUPS.find((known) => known === name);
    const isInside = context.function !== undefined;
    if (group === undefined || (!isInside && group !== 'use')) {
      const instead = isInside ? `it has ${GROUPS.join(', ')}` : 'at module level it has `use`';
      report(context, at, 'MU604', { problem: `it has no \`${name}\``, instead });
    } else if (group === 'memory' && value.kind !== ts.SyntaxKind.FalseKeyword) {
      const instead = '`memory: false` says that it reads and writes no memory';
      report(context, value, 'MU604', { problem: '`memory` is not false', instead });
    } else {
      groups[group] = value;
    }
  }
  return groups;
}

function properties(context: Context, node: ts.Expression | undefined): Property[] {
  if (node === undefined) return [];
  if (!ts.isObjectLiteralExpression(node)) {
    const instead = "{ in: { eax: leaf }, out: { value }, clobbers: ['rcx'] }";
    report(context, node, 'MU604', { problem: 'operands are not written out', instead });
    return [];
  }
  return node.properties.flatMap((property): Property[] => {
    if (ts.isShorthandPropertyAssignment(property)) {
      return [{ node: property, name: property.name.text, value: property.name }];
    }
    if (ts.isPropertyAssignment(property) && ts.isIdentifier(property.name)) {
      return [{ node: property, name: property.name.text, value: property.initializer }];
    }
    const instead = 'write `name: value`, or `name` alone';
    report(context, property, 'MU604', { problem: 'an operand has no plain name', instead });
    return [];
  });
}

function output(context: Context, property: Property, named: Set<string>): AssemblyOutput[] {
  const { name, value } = property;
  const target = checkTarget(context, value);
  if (target.kind === 'error') return [];
  if (target.kind !== 'local') {
    const instead = 'give it a `let` of the function, and assign that afterwards';
    report(context, value, 'MU604', {
      problem: `the output ${name} is no local variable`,
      instead,
    });
    return [];
  }
  const register = registerOf(context, property, target.type, named);
  return register === undefined ? [] : [{ name, register, local: target.local }];
}

function input(context: Context, property: Property, named: Set<string>): AssemblyInput[] {
  const { name, value } = property;
  const { arch } = context.checker.target;
  const bits = named.has(name) ? undefined : machineRegister(arch, name)?.bits;
  const wanted = bits === undefined ? usize : SCALARS.get(`u${bits}`);
  const found = checkValue(context, value, isUntyped(value) ? wanted : undefined);
  if (found.kind === 'error') return [];
  const register = registerOf(context, property, found.type, named);
  return register === undefined ? [] : [{ name, register, value: found }];
}

/**
 * '' for any that the text names; undefined if the operand cannot be in a register of that name.
 */
function registerOf(
  context: Context,
  { node, name }: Property,
  type: Type,
  named: Set<string>,
): string | undefined {
  const { arch } = context.checker.target;
  const bits = bitsInRegister(context, type);
  const refuse = (expected: string, instead: string) => {
    report(context, node, 'MU301', { expected, actual: type.name, instead });
    return undefined;
  };
  if (bits === undefined) return refuse('an integer or an address', 'others: load and store them');
  if (named.has(name)) return '';
  const register = machineRegister(arch, name);
  if (register === undefined) {
    const problem = `${name} is no register of ${arch} that can hold an operand`;
    const instead = `name a general register, or write {${name}} in the text for any of them`;
    report(context, node, 'MU604', { problem, instead });
    return undefined;
  }
  if (register.bits === bits) return name;
  return refuse(`${register.bits} bits, which ${name} has`, 'cast it, or name another part');
}

function bitsInRegister(context: Context, type: Type): number | undefined {
  const { target } = context.checker;
  if (type.kind === 'integer') return bitsOf(type, target);
  if (type.kind === 'enum') return 32;
  if (type.kind === 'bool') return 8;
  if (type.kind === 'pointer' || type.kind === 'function') return pointerBytes(target) * 8;
  return undefined;
}

/** What stands in the text for a function, for storage, or for a number. */
function symbol(context: Context, { node, name, value }: Property): AssemblyPiece {
  const found: Expression = checkExpression(context, value);
  if (found.kind === 'function') return { symbol: found.function };
  if (found.kind === 'global') return { symbol: found.global };
  if (typeof found.value === 'bigint') {
    return found.value > 0xffffn ? `0x${found.value.toString(16)}` : String(found.value);
  }
  if (found.kind !== 'error') {
    const expected = 'a function, storage of a module, or an integer constant';
    const instead = 'values go in by `in`';
    report(context, node, 'MU301', { expected, actual: `${name}: ${found.type.name}`, instead });
  }
  return '';
}

function clobbered(context: Context, node: ts.Expression | undefined): string[] {
  if (node === undefined) return [];
  const { arch } = context.checker.target;
  const elements = ts.isArrayLiteralExpression(node) ? [...node.elements] : [node];
  return elements.flatMap((element) => {
    if (ts.isStringLiteral(element) && canBeClobbered(arch, element.text)) return [element.text];
    const problem = `${element.getText()} is no register of ${arch} that can be clobbered`;
    report(context, element, 'MU604', { problem, instead: "a list: clobbers: ['rcx', 'r11']" });
    return [];
  });
}

/** No two of them may be in one register. */
function checkTwice(
  context: Context,
  node: ts.Node,
  operands: readonly { register: string }[],
  clobbers: readonly string[],
): void {
  const seen = new Set<string>();
  const { arch } = context.checker.target;
  for (const name of [...clobbers, ...operands.map(({ register }) => register)]) {
    const family = machineRegister(arch, name)?.family;
    if (family === undefined) continue;
    const instead = 'an operand has a register for itself; what it leaves there is an output';
    if (seen.has(family)) {
      report(context, node, 'MU604', { problem: `${name} is taken twice`, instead });
    }
    seen.add(family);
  }
}
