/** Phase 2c: statements and function bodies. */

import ts from 'typescript';
import type { Expression, FunctionDeclaration, Local, Statement, SwitchClause } from '../tree.ts';
import { errorType, isValue, nullType, type Type, voidType } from '../types.ts';
import { checkAssembly, isAssembly } from './assembly.ts';
import { checkConstant } from './constants.ts';
import { type Context, innerScope, place, refuse, report } from './context.ts';
import { coerce, literal } from './convert.ts';
import { checkCondition, checkExpression, checkTarget, checkValue } from './expressions.ts';
import { completes } from './flow.ts';
import { isZeroed, zeroedType } from './globals.ts';
import { COMPOUND, combine, isUntyped } from './operators.ts';
import { isUnrolled, readTags } from './tags.ts';
import { requireValue, typeFrom } from './types.ts';

/** Checks the body of a function and stores it in its declaration. */
export function checkBody(
  outer: Context,
  node: ts.FunctionDeclaration,
  declaration: FunctionDeclaration,
): void {
  const context = innerScope({ ...outer, function: declaration });
  for (const parameter of declaration.parameters) {
    if (context.scope?.names.has(parameter.name)) {
      report(context, node, 'MU202', { name: parameter.name });
    }
    context.scope?.names.set(parameter.name, parameter);
  }
  if (node.body === undefined) {
    const instead = 'write its body';
    report(context, node, 'MU101', { what: 'a function without a body', instead });
    return;
  }
  if (node.asteriskToken !== undefined) {
    report(context, node, 'MU101', { what: 'a generator', instead: 'write a loop' });
    return;
  }
  const before = context.checker.diagnostics.length;
  announce(context, node.body.statements);
  declaration.body = node.body.statements.flatMap((s) => checkStatement(context, s));
  if (context.checker.diagnostics.length > before) return;
  const { result } = declaration.type;
  if (result !== voidType && result.kind !== 'error' && completes(declaration.body)) {
    const values = { name: declaration.name, type: result.name };
    report(context, node.name ?? node, 'MU313', values);
  }
}

/**
 * The statements of a block in a scope of their own. Their names are known from its start, but not
 * usable before.
 */
function checkBlock(outer: Context, nodes: readonly ts.Statement[]): Statement[] {
  const context = innerScope(outer);
  announce(context, nodes);
  return nodes.flatMap((node) => checkStatement(context, node));
}

function announce(context: Context, nodes: readonly ts.Statement[]): void {
  for (const node of nodes) {
    if (!ts.isVariableStatement(node)) continue;
    for (const { name } of node.declarationList.declarations) {
      if (!ts.isIdentifier(name)) continue;
      if (context.scope?.names.has(name.text)) report(context, name, 'MU202', { name: name.text });
      context.scope?.names.set(name.text, 'pending');
    }
  }
}

/** A statement as the body of `if` or a loop: a block, or one statement in its own scope. */
function checkInner(context: Context, node: ts.Statement): Statement[] {
  return checkBlock(context, ts.isBlock(node) ? node.statements : [node]);
}

function checkStatement(context: Context, node: ts.Statement): Statement[] {
  const at = place(context, node);
  if (ts.isVariableStatement(node)) {
    const tags = readTags(context, node, 'storage');
    return checkVariables(context, node.declarationList, tags);
  }
  if (ts.isExpressionStatement(node)) {
    if (!isAssembly(node.expression)) return checkEffect(context, node.expression);
    const assembly = checkAssembly(context, node.expression);
    return assembly === undefined ? [] : [{ kind: 'assembly', assembly, place: at }];
  }
  if (ts.isIfStatement(node)) {
    const condition = checkCondition(context, node.expression);
    const then = checkInner(context, node.thenStatement);
    const otherwise = node.elseStatement && checkInner(context, node.elseStatement);
    return [{ kind: 'if', condition, then, else: otherwise, place: at }];
  }
  if (ts.isWhileStatement(node)) {
    const condition = checkCondition(context, node.expression);
    return [{ kind: 'while', condition, body: checkInner(context, node.statement), place: at }];
  }
  if (ts.isDoStatement(node)) {
    const body = checkInner(context, node.statement);
    return [{ kind: 'do', condition: checkCondition(context, node.expression), body, place: at }];
  }
  if (ts.isForStatement(node)) return [checkFor(context, node)];
  if (ts.isSwitchStatement(node)) return checkSwitch(context, node);
  if (ts.isBlock(node)) {
    return [{ kind: 'block', body: checkBlock(context, node.statements), place: at }];
  }
  if (ts.isReturnStatement(node)) return checkReturn(context, node);
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
    if (node.label !== undefined) {
      const instead = 'put the inner loop into a function';
      report(context, node, 'MU101', { what: 'a label', instead });
    }
    return [{ kind: ts.isBreakStatement(node) ? 'break' : 'continue', place: at }];
  }
  if (ts.isEmptyStatement(node)) return [];
  const what = DECLARATIONS[node.kind];
  if (what !== undefined) report(context, node, 'MU103', { what });
  else {
    const [name, instead] = STATEMENTS[node.kind] ?? [
      ts.SyntaxKind[node.kind],
      'docs/language.md has the statements',
    ];
    report(context, node, 'MU101', { what: name, instead });
  }
  return [];
}

const DECLARATIONS: Partial<Record<ts.SyntaxKind, string>> = {
  [ts.SyntaxKind.FunctionDeclaration]: 'a function',
  [ts.SyntaxKind.ClassDeclaration]: 'a class',
  [ts.SyntaxKind.EnumDeclaration]: 'an enum',
  [ts.SyntaxKind.TypeAliasDeclaration]: 'a type alias',
  [ts.SyntaxKind.InterfaceDeclaration]: 'an interface',
};

const STATEMENTS: Partial<Record<ts.SyntaxKind, [what: string, instead: string]>> = {
  [ts.SyntaxKind.ForOfStatement]: ['for…of', 'for (let i: i32 = 0; i < n; i++)'],
  [ts.SyntaxKind.ForInStatement]: ['for…in', 'for (let i: i32 = 0; i < n; i++)'],
  [ts.SyntaxKind.ThrowStatement]: ['throw', 'return an error code, or unreachable()'],
  [ts.SyntaxKind.TryStatement]: ['try', 'return an error code'],
  [ts.SyntaxKind.LabeledStatement]: ['a label', 'put the inner loop into a function'],
  [ts.SyntaxKind.WithStatement]: ['with', 'name the fields'],
  [ts.SyntaxKind.DebuggerStatement]: ['debugger', "breakpoints are the debugger's"],
};

function checkVariables(
  context: Context,
  list: ts.VariableDeclarationList,
  tags: Map<string, string> = new Map(),
): Statement[] {
  const flags = list.flags & ts.NodeFlags.BlockScoped;
  if (flags !== ts.NodeFlags.Const && flags !== ts.NodeFlags.Let) {
    report(context, list, 'MU101', { what: '`var`', instead: 'use const or let' });
  }
  const mutable = flags !== ts.NodeFlags.Const;
  return list.declarations.flatMap((node) => checkVariable(context, node, mutable, tags));
}

function checkVariable(
  context: Context,
  node: ts.VariableDeclaration,
  mutable: boolean,
  tags: Map<string, string>,
): Statement[] {
  if (!ts.isIdentifier(node.name)) {
    const instead = 'declare the variables one by one';
    report(context, node.name, 'MU101', { what: 'destructuring', instead });
    return [];
  }
  const at = place(context, node);
  const name = node.name.text;
  const declare = (type: Type): Local => {
    const local: Local = { kind: 'local', name, type, place: at, mutable, addressed: false };
    context.scope?.names.set(name, local);
    return local;
  };
  const failed = (): Statement[] => {
    declare(errorType);
    return [];
  };
  const { initializer } = node;
  if (initializer !== undefined && isZeroed(initializer)) {
    if (mutable) {
      const type = (initializer as ts.CallExpression).typeArguments?.[0]?.getText() ?? 'S';
      report(context, node, 'MU407', { type });
    }
    const type = zeroedType(context, initializer as ts.CallExpression);
    if (type === undefined) return failed();
    return [{ kind: 'variable', local: declare(type), tags, place: at }];
  }
  let wanted = node.type === undefined ? undefined : typeFrom(context, node.type);
  if (wanted !== undefined) {
    wanted = requireValue(context, node.type ?? node, wanted, 'a variable');
    if (wanted.kind === 'error') return failed();
  }
  if (initializer === undefined) {
    if (wanted === undefined) {
      report(context, node, 'MU316', { what: `"${name}"`, example: `let ${name}: i32` });
      return failed();
    }
    return [{ kind: 'variable', local: declare(wanted), tags, place: at }];
  }
  const initial = checkValue(context, initializer, wanted);
  if (initial.kind === 'error') {
    if (wanted !== undefined) declare(wanted);
    return wanted === undefined ? failed() : [];
  }
  if (initial.type === nullType) {
    report(context, node, 'MU316', { what: `"${name}"`, example: `let ${name}: Ptr<u8> = null` });
    return failed();
  }
  return [{ kind: 'variable', local: declare(wanted ?? initial.type), initial, tags, place: at }];
}

/** An expression for its effect: a call, an assignment, `++`. */
function checkEffect(context: Context, node: ts.Expression): Statement[] {
  const at = place(context, node);
  if (ts.isParenthesizedExpression(node)) return checkEffect(context, node.expression);
  if (ts.isBinaryExpression(node)) {
    const token = node.operatorToken.kind;
    if (token === ts.SyntaxKind.EqualsToken) return checkAssignment(context, node);
    const operator = COMPOUND[token];
    if (operator !== undefined) {
      const target = checkTarget(context, node.left);
      const hint = isUntyped(node.right) ? target.type : undefined;
      const right = checkExpression(context, node.right, hint);
      return update(context, node, target, operator, right);
    }
    if (token === ts.SyntaxKind.CommaToken) {
      return [...checkEffect(context, node.left), ...checkEffect(context, node.right)];
    }
  }
  if (ts.isPostfixUnaryExpression(node) || ts.isPrefixUnaryExpression(node)) {
    const isPlus = node.operator === ts.SyntaxKind.PlusPlusToken;
    if (isPlus || node.operator === ts.SyntaxKind.MinusMinusToken) {
      const target = checkTarget(context, node.operand);
      if (target.kind === 'error') return [];
      const one = literal(context, node, target.type, target.type.kind === 'float' ? 1 : 1n);
      return update(context, node, target, isPlus ? '+' : '-', one);
    }
  }
  const expression = checkExpression(context, node);
  if (expression.kind === 'error') return [];
  if (!['call', 'callPointer', 'intrinsic'].includes(expression.kind)) {
    report(context, node, 'MU105');
    return [];
  }
  return [{ kind: 'expression', expression, place: at }];
}

function checkAssignment(context: Context, node: ts.BinaryExpression): Statement[] {
  const target = checkTarget(context, node.left);
  const wanted = target.kind === 'error' ? undefined : target.type;
  const value = checkValue(context, node.right, wanted);
  if (target.kind === 'error' || value.kind === 'error') return [];
  return [{ kind: 'assign', target, value, place: place(context, node) }];
}

/**
 * target = target operator value. The result must have the target's type by itself: u8 += i32 needs
 * a cast.
 */
function update(
  context: Context,
  node: ts.Node,
  target: Expression,
  operator: Parameters<typeof combine>[2],
  right: Expression,
): Statement[] {
  if (target.kind === 'error' || right.kind === 'error') return [];
  const result = combine(context, node, operator, target, right);
  if (result.kind !== 'binary') return [];
  if (coerce(context, node, result, target.type).kind === 'error') return [];
  if (result.left !== target) {
    // f32 += f64 and the like: the operation is wider than the target.
    const names = { operator: `${operator}=`, left: target.type.name, right: right.type.name };
    report(context, node, 'MU302', names);
    return [];
  }
  return [{ kind: 'update', target, operator, value: result.right, place: place(context, node) }];
}

function checkFor(outer: Context, node: ts.ForStatement): Statement {
  const context = innerScope(outer);
  let initial: Statement[] = [];
  if (node.initializer !== undefined) {
    if (ts.isVariableDeclarationList(node.initializer)) {
      for (const { name } of node.initializer.declarations) {
        if (ts.isIdentifier(name)) context.scope?.names.set(name.text, 'pending');
      }
      initial = checkVariables(context, node.initializer);
    } else {
      initial = checkEffect(context, node.initializer);
    }
  }
  const condition = node.condition && checkCondition(context, node.condition);
  const update = node.incrementor === undefined ? [] : checkEffect(context, node.incrementor);
  const body = checkInner(context, node.statement);
  const unroll = isUnrolled(outer, node);
  return { kind: 'for', unroll, initial, condition, update, body, place: place(outer, node) };
}

function checkSwitch(outer: Context, node: ts.SwitchStatement): Statement[] {
  const subject = checkValue(outer, node.expression);
  if (subject.kind === 'error') return [];
  const { type } = subject;
  if (type.kind !== 'integer' && type.kind !== 'enum') {
    const values = { operator: 'switch', type: type.name, instead: 'it is for integers and enums' };
    report(outer, node.expression, 'MU303', values);
    return [];
  }
  const context = innerScope(outer);
  announce(
    context,
    node.caseBlock.clauses.flatMap((clause) => [...clause.statements]),
  );
  const seen = new Set<unknown>();
  const clauses: SwitchClause[] = node.caseBlock.clauses.map((clause) => {
    let value: Expression | undefined;
    if (ts.isCaseClause(clause)) {
      value = checkConstant(outer, clause.expression, type, 'a case');
      if (value !== undefined && seen.has(value.value)) {
        report(outer, clause, 'MU406', { value: String(value.value) });
      }
      seen.add(value?.value);
    }
    const inner = innerScope(context);
    const body = clause.statements.flatMap((statement) => checkStatement(inner, statement));
    return { place: place(outer, clause), case: value, body };
  });
  return [{ kind: 'switch', subject, clauses, place: place(outer, node) }];
}

function checkReturn(context: Context, node: ts.ReturnStatement): Statement[] {
  const at = place(context, node);
  const declaration = context.function as FunctionDeclaration;
  const { result } = declaration.type;
  const { name } = declaration;
  if (result.kind === 'error') return [];
  if (node.expression === undefined) {
    if (isValue(result) || result.kind === 'never') {
      report(context, node, 'MU314', { name, type: result.name, instead: 'return a value' });
    }
    return [{ kind: 'return', place: at }];
  }
  if (!isValue(result)) {
    const instead = 'write the call and `return` as two statements';
    refuse(context, node.expression, 'MU314', { name, type: result.name, instead });
    return [];
  }
  const value = checkValue(context, node.expression, result);
  return [{ kind: 'return', value, place: at }];
}
