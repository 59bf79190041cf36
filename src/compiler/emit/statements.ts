/**
 * Statements in C, line by line, with #line wherever the TypeScript line is not the one that would
 * come next.
 */

import type { Place } from '../diagnostics.ts';
import type { Expression, ExpressionOf, Local, Statement } from '../tree.ts';
import { inlineAssembly } from './assembly.ts';
import { NONE, WRITES } from './effects.ts';
import { declare, type Emitter, temporary } from './emitter.ts';
import { converted, expression, place } from './expressions.ts';
import { cString } from './literals.ts';

/**
 * C text that knows which line of which TypeScript file a debugger would show for its next line.
 */
export class Lines {
  readonly lines: string[] = [];
  #file = '';
  #line = 0;
  /** the last line stands for a statement, not for a closing brace */
  #open = false;

  /** C that stands for the line of `at`. What shares a line in TypeScript shares one in C. */
  at(at: Place, text: string): void {
    const gap = at.line - this.#line;
    const last = this.lines.length - 1;
    if (at.file === this.#file && gap === -1 && this.#open) {
      this.lines[last] += ` ${text.trimStart()}`;
      return;
    }
    if (at.file !== this.#file || gap < 0 || gap > 1) {
      this.lines.push(`#line ${at.line} ${cString(new TextEncoder().encode(at.file))}`);
    } else if (gap === 1) {
      this.lines.push('');
    }
    this.lines.push(text);
    this.#file = at.file;
    this.#line = at.line + 1;
    this.#open = true;
  }

  /** Number of the line that was written last, to close what it opens. */
  get last(): number {
    return this.lines.length - 1;
  }

  /** A closing brace: on the line of its opening one if nothing came between. */
  close(opened: number, text: string): void {
    if (opened === this.last) {
      this.lines[opened] += ` ${text.trimStart()}`;
      return;
    }
    this.lines.push(text);
    this.#line += 1;
    this.#open = false;
  }

  /** An empty line between functions. */
  gap(): void {
    this.lines.push('');
    this.#line += 1;
    this.#open = false;
  }
}

/** Statements and the brace that closes them; the line before has opened it. */
function block(e: Emitter, out: Lines, body: Statement[], indent: string, end = '}'): void {
  const opened = out.last;
  statements(e, out, body, `${indent}  `);
  out.close(opened, `${indent}${end}`);
}

export function statements(e: Emitter, out: Lines, body: Statement[], indent: string): void {
  for (const s of body) statement(e, out, s, indent);
}

function statement(e: Emitter, out: Lines, s: Statement, indent: string): void {
  const inner = `${indent}  `;
  switch (s.kind) {
    case 'variable':
    case 'assign':
    case 'update':
    case 'expression': {
      const text = simple(e, s);
      if (text !== '') out.at(s.place, `${indent}${text};`);
      return;
    }
    case 'assembly':
      out.at(s.place, `${indent}${inlineAssembly(e, s.assembly)}`);
      return;
    case 'if':
      ifStatement(e, out, s, indent, '');
      return;
    case 'while':
      out.at(s.place, `${indent}while (${expression(e, s.condition)}) {`);
      block(e, out, s.body, indent);
      return;
    case 'do':
      out.at(s.place, `${indent}do {`);
      statements(e, out, s.body, inner);
      out.at(s.condition.place, `${indent}} while (${expression(e, s.condition)});`);
      return;
    case 'for':
      forStatement(e, out, s, indent);
      return;
    case 'switch':
      switchStatement(e, out, s, indent);
      return;
    case 'block':
      out.at(s.place, `${indent}{`);
      block(e, out, s.body, indent);
      return;
    case 'return':
      out.at(
        s.place,
        `${indent}return${s.value === undefined ? '' : ` ${converted(e, s.value)}`};`,
      );
      return;
    default:
      out.at(s.place, `${indent}${s.kind};`);
  }
}

/**
 * A statement that is one C expression or declaration, without its semicolon. '' if nothing is left
 * of it.
 */
function simple(e: Emitter, s: Statement): string {
  if (s.kind === 'variable') {
    const align = s.tags.get('align');
    const aligned = align === undefined ? '' : ` __attribute__((aligned(${align})))`;
    return `${declare(e, s.local.type, e.locals.of(s.local))}${aligned} = ${initial(e, s)}`;
  }
  if (s.kind === 'assign') return assign(e, s.target, s.value);
  if (s.kind === 'update') return update(e, s);
  if (s.kind !== 'expression') return '';
  const x = s.expression;
  const isAssert = x.kind === 'intrinsic' && x.intrinsic.name === 'assert';
  if (isAssert && !e.checked) return '';
  return expression(e, x);
}

function initial(e: Emitter, s: Extract<Statement, { kind: 'variable' }>): string {
  const { type } = s.local;
  if (s.initial !== undefined) return converted(e, s.initial);
  if (['struct', 'array', 'string', 'vector'].includes(type.kind)) return '{}';
  return type.kind === 'pointer' || type.kind === 'function' ? 'null' : '0';
}

/** The place is found before the value is worked out; C leaves that open. */
function assign(e: Emitter, target: Expression, value: Expression): string {
  const address = e.effects.ofAddress(target);
  const effect = e.effects.of(value);
  const conflict = address !== NONE && effect !== NONE && (address === WRITES || effect === WRITES);
  if (!conflict) return `${place(e, target, false)} = ${converted(e, value)}`;
  const name = temporary(e);
  const pointer = declare(e, e.types.pointer(target.type), name);
  return `({ ${pointer} = &${place(e, target, false)}; *${name} = ${converted(e, value)}; })`;
}

const SAME_IN_C = ['+', '-', '*', '&', '|', '^'];

function update(e: Emitter, s: Extract<Statement, { kind: 'update' }>): string {
  const { target, operator, value } = s;
  const address = e.effects.ofAddress(target);
  const effect = e.effects.of(value);
  const { type } = target;
  const conflict =
    (effect === WRITES && e.effects.of(target) !== NONE) || (address === WRITES && effect !== NONE);
  const isFloat = type.kind === 'float';
  if (!conflict && (isFloat || SAME_IN_C.includes(operator))) {
    const left = place(e, target, false);
    const isOne = value.kind === 'literal' && (value.value === 1n || value.value === 1);
    if (isOne && (operator === '+' || operator === '-')) return `${left}${operator}${operator}`;
    return `${left} ${operator}= ${converted(e, value)}`;
  }
  const operation = (left: Expression): ExpressionOf<'binary'> => ({
    kind: 'binary',
    operator,
    left,
    right: value,
    type,
    place: s.place,
  });
  if (!conflict && address !== WRITES) {
    return `${place(e, target, false)} = ${converted(e, operation(target))}`;
  }
  const pointerName = temporary(e);
  const oldName = temporary(e);
  const old: Local = {
    kind: 'local',
    name: oldName,
    type,
    place: s.place,
    mutable: false,
    addressed: false,
  };
  e.locals.fix(old, oldName);
  const read: Expression = { kind: 'local', local: old, type, place: s.place };
  const pointer = declare(e, e.types.pointer(type), pointerName);
  return (
    `({ ${pointer} = &${place(e, target, false)}; ${declare(e, type, oldName)} = *${pointerName}; ` +
    `*${pointerName} = ${converted(e, operation(read))}; })`
  );
}

/** A branch that a constant rules out is not written, and what it calls is not needed. */
function ifStatement(
  e: Emitter,
  out: Lines,
  s: Extract<Statement, { kind: 'if' }>,
  indent: string,
  lead: string,
): void {
  const known = s.condition.value;
  if (known !== undefined && e.effects.of(s.condition) === NONE) {
    const taken = known === true ? s.then : (s.else ?? []);
    if (taken.length === 0 && lead === '') return;
    out.at(s.place, `${indent}${lead}{`);
    block(e, out, taken, indent);
    return;
  }
  out.at(s.place, `${indent}${lead}if (${expression(e, s.condition)}) {`);
  if (s.else === undefined) {
    block(e, out, s.then, indent);
    return;
  }
  const [only] = s.else;
  const opened = out.last;
  statements(e, out, s.then, `${indent}  `);
  if (s.else.length === 1 && only.kind === 'if') {
    const isClosed = opened === out.last;
    if (isClosed) out.close(opened, '}');
    ifStatement(e, out, only, indent, isClosed ? 'else ' : '} else ');
    return;
  }
  out.close(opened, `${indent}} else {`);
  block(e, out, s.else, indent);
}

function forStatement(
  e: Emitter,
  out: Lines,
  s: Extract<Statement, { kind: 'for' }>,
  indent: string,
): void {
  const [first] = s.initial;
  // C declares variables of one type in the head of a loop: more, or an array, go into a block
  // around it.
  const headed = s.initial.length <= 1 && (first === undefined || first.kind !== 'block');
  let own = indent;
  let opened = 0;
  if (!headed) {
    out.at(s.place, `${indent}{`);
    opened = out.last;
    own = `${indent}  `;
    statements(e, out, s.initial, own);
  }
  const head = headed && first !== undefined ? simple(e, first) : '';
  const condition = s.condition === undefined ? '' : ` ${expression(e, s.condition)}`;
  const updates = s.update.map((u) => simple(e, u)).filter((u) => u !== '');
  const update = updates.length === 0 ? '' : ` ${updates.join(', ')}`;
  const pragma = s.unroll ? '_Pragma("clang loop unroll(full)") ' : '';
  out.at(s.place, `${own}${pragma}for (${head};${condition};${update}) {`);
  block(e, out, s.body, own);
  if (!headed) out.close(opened, `${indent}}`);
}

function switchStatement(
  e: Emitter,
  out: Lines,
  s: Extract<Statement, { kind: 'switch' }>,
  indent: string,
): void {
  out.at(s.place, `${indent}switch (${expression(e, s.subject)}) {`);
  const opened = out.last;
  s.clauses.forEach((clause, i) => {
    const label = clause.case === undefined ? 'default' : `case ${caseLabel(e, clause.case)}`;
    // Labels that share a body stand one below the other.
    const shares = clause.body.length === 0 && i + 1 < s.clauses.length;
    out.at(clause.place, `${indent}  ${label}:${shares ? '' : ' {'}`);
    if (shares) return;
    const [only] = clause.body;
    const isBlock = clause.body.length === 1 && only.kind === 'block';
    block(e, out, isBlock ? only.body : clause.body, `${indent}  `);
  });
  out.close(opened, `${indent}}`);
}

/** C wants a constant expression: a literal, or the name of an enum's member. */
function caseLabel(e: Emitter, label: Expression): string {
  if (label.kind === 'member' || label.kind === 'literal') return expression(e, label);
  const value = { ...label, kind: 'literal' } as ExpressionOf<'literal'>;
  const name = label.kind === 'constant' ? ` /* ${label.constant.name} */` : '';
  return expression(e, value) + name;
}
