/**
 * Expressions in C: the same operators where C means the same, helpers where it does not,
 * temporaries where order matters.
 */

import type { Use } from '../intrinsics/intrinsic.ts';
import type { BinaryOperator, ConstantValue, Expression, ExpressionOf } from '../tree.ts';
import { type FloatType, type IntegerType, SCALARS, type Type } from '../types.ts';
import { castHelper, divisionHelper, indexHelper, nonnullHelper, panicCall } from './checks.ts';
import { NONE, WRITES } from './effects.ts';
import {
  bitsOfType,
  cType,
  declare,
  type Emitter,
  site,
  temporary,
  text,
  useFunction,
} from './emitter.ts';
import { cLiteral, cString } from './literals.ts';
import { fieldName, mangle } from './names.ts';

/** Binding strengths of C, for as few parentheses as clang's warnings allow. */
const POSTFIX = 15;
const UNARY = 14;
const STRENGTH: Record<BinaryOperator, number> = {
  '*': 13,
  '/': 13,
  '%': 13,
  '+': 12,
  '-': 12,
  '<<': 11,
  '>>': 11,
  '>>>': 11,
  '<': 10,
  '<=': 10,
  '>': 10,
  '>=': 10,
  '==': 9,
  '!=': 9,
  '&': 8,
  '^': 7,
  '|': 6,
  '&&': 5,
  '||': 4,
};
const CONDITIONAL = 3;
const ASSIGNMENT = 2;

/**
 * An expression's C, in parentheses if its operator binds weaker than `least`. bare: surroundings
 * convert a number.
 */
export function expression(e: Emitter, x: Expression, least = ASSIGNMENT, bare = false): string {
  const [c, strength] = write(e, x, bare);
  return strength < least ? `(${c})` : c;
}

/** As an argument, initial value or assigned value: C converts it to the type that is wanted. */
export function converted(e: Emitter, x: Expression): string {
  return expression(e, x, ASSIGNMENT, true);
}

type Written = [c: string, strength: number];

function write(e: Emitter, x: Expression, bare: boolean): Written {
  switch (x.kind) {
    case 'literal': {
      const c = literal(e, x.type, x.value as ConstantValue, bare, x.hex);
      return [c, c.startsWith('-') ? UNARY : POSTFIX];
    }
    case 'null':
      return ['null', POSTFIX];
    case 'string':
      return [`TEXT(${cString(x.bytes)})`, POSTFIX];
    case 'local':
      return [e.locals.of(x.local), POSTFIX];
    case 'constant':
      e.constants.add(x.constant);
      return [e.names.of(x.constant), POSTFIX];
    case 'member':
      e.enums.add(x.enum);
      return [e.names.member(x.enum, x.name), POSTFIX];
    case 'global':
      e.globals.add(x.global);
      return [e.names.of(x.global), POSTFIX];
    case 'function':
      return [useFunction(e, x.function), POSTFIX];
    case 'unary':
      return unary(e, x);
    case 'binary':
      return binary(e, x);
    case 'conditional':
      return [
        `${expression(e, x.condition, CONDITIONAL + 1)} ? ${expression(e, x.whenTrue)} : ${expression(e, x.whenFalse, CONDITIONAL)}`,
        CONDITIONAL,
      ];
    case 'convert':
      return convert(e, x);
    case 'call': {
      const name = useFunction(e, x.function);
      const args = x.arguments.map(operand(e));
      return ordered(e, args, POSTFIX, (c) => `${name}(${c.join(', ')})`);
    }
    case 'callPointer':
      return callPointer(e, x);
    case 'intrinsic':
      return intrinsic(e, x);
    case 'index':
    case 'field':
      return [place(e, x, false), POSTFIX];
    case 'ref':
      return ref(e, x);
    case 'length':
      if (x.base.type.kind === 'array' && e.effects.of(x) === WRITES) {
        const count = literal(e, x.type, x.value as ConstantValue, false);
        return [`((void)&${place(e, x.base, true)}, ${count})`, POSTFIX];
      }
      if (x.value !== undefined)
        return [literal(e, x.type, x.value as ConstantValue, bare), POSTFIX];
      return [`${expression(e, x.base, POSTFIX)}.length`, POSTFIX];
    case 'error':
      throw new Error('an expression that was refused reached emission');
  }
}

/** A value that is known, written out. */
export function literal(
  e: Emitter,
  type: Type,
  value: ConstantValue,
  bare: boolean,
  hex = false,
): string {
  const bits = type.kind === 'integer' ? bitsOfType(e, type) : 32;
  return cLiteral(type, value, bits, bare, hex);
}

// --- Order of evaluation -------------------------------------------------------------------------

/** One operand of several, that may have to be evaluated before the others. */
interface Operand {
  effect: number;
  /** C in place, and C of the value to keep (an address for places) */
  inPlace: () => string;
  spill: () => { type: Type; c: string };
  /** how the kept value is used */
  kept: (name: string) => string;
}

export const operand =
  (e: Emitter, least = ASSIGNMENT, bare = true) =>
  (x: Expression): Operand => ({
    effect: e.effects.of(x),
    inPlace: () => expression(e, x, least, bare),
    spill: () => ({ type: x.type, c: converted(e, x) }),
    kept: (name) => name,
  });

/** A place as an operand: what is kept is its address. */
function placeOperand(e: Emitter, x: Expression): Operand {
  return {
    effect: e.effects.ofAddress(x),
    inPlace: () => place(e, x, false),
    spill: () => ({ type: e.types.pointer(x.type), c: `&${place(e, x, false)}` }),
    kept: (name) => `(*${name})`,
  };
}

/**
 * Operands evaluated left to right. Where C might do otherwise and it would be noticed, those up to
 * the last one with a side effect go into temporaries first: `before` declares them.
 */
function arrange(e: Emitter, operands: Operand[]): { before: string; c: string[] } {
  const last = operands.findLastIndex((o) => o.effect === WRITES);
  const others = operands.some((o, i) => i !== last && o.effect !== NONE);
  if (last < 0 || !others) return { before: '', c: operands.map((o) => o.inPlace()) };
  const later = operands.some((o, i) => i > last && o.effect !== NONE);
  const before: string[] = [];
  const c = operands.map((o, i) => {
    if (o.effect === NONE || i > last || (i === last && !later)) return o.inPlace();
    const kept = o.spill();
    const name = temporary(e);
    before.push(`${declare(e, kept.type, name)} = ${kept.c};`);
    return o.kept(name);
  });
  return { before: before.join(' '), c };
}

/**
 * The same as one expression, of the given strength: a GNU statement expression where there are
 * temporaries.
 */
function ordered(
  e: Emitter,
  operands: Operand[],
  strength: number,
  build: (c: string[]) => string,
): Written {
  const { before, c } = arrange(e, operands);
  return before === '' ? [build(c), strength] : [`({ ${before} ${build(c)}; })`, POSTFIX];
}

/**
 * The same as a place: a statement expression is no lvalue, so it gives the address, which is
 * followed outside.
 */
function orderedPlace(e: Emitter, operands: Operand[], build: (c: string[]) => string): string {
  const { before, c } = arrange(e, operands);
  return before === '' ? build(c) : `(*({ ${before} &${build(c)}; }))`;
}

// --- Operators -----------------------------------------------------------------------------------

function unary(e: Emitter, x: ExpressionOf<'unary'>): Written {
  const c = `${x.operator}${guarded(expression(e, x.operand, UNARY), x.operator)}`;
  if (x.type.kind === 'integer' && bitsOfType(e, x.type) < 32)
    return [`(${x.type.name})${c}`, UNARY];
  return [c, UNARY];
}

/** - -x must not become --x */
function guarded(c: string, operator: string): string {
  return operator === '-' && c.startsWith('-') ? `(${c})` : c;
}

function binary(e: Emitter, x: ExpressionOf<'binary'>): Written {
  const { operator, left, right } = x;
  if (operator === '&&' || operator === '||') {
    const strength = STRENGTH[operator];
    const side = (s: Expression) =>
      expression(e, s, s.kind === 'binary' && s.operator === operator ? strength : strength + 2);
    return [`${side(left)} ${operator} ${side(right)}`, strength];
  }
  const type = x.type;
  if (type.kind === 'integer') {
    if (operator === '/' || operator === '%') return division(e, x, type);
    if (operator === '<<' || operator === '>>' || operator === '>>>') return shift(e, x, type);
  }
  const isPlain = (s: Expression) => s.kind !== 'literal';
  const strength = STRENGTH[operator];
  const bitwise = '&^|'.includes(operator);
  const inner = (s: Expression, own: number) => {
    if (!bitwise) return own;
    return s.kind === 'binary' && s.operator === operator ? own : UNARY;
  };
  const sides = [
    operand(e, inner(left, strength), isPlain(right) && wideEnough(e, right.type))(left),
    operand(e, inner(right, strength + 1), isPlain(left) && wideEnough(e, left.type))(right),
  ];
  const narrow = type.kind === 'integer' && bitsOfType(e, type) < 32 && '+-*'.includes(operator);
  return ordered(e, sides, narrow ? UNARY : strength, ([a, b]) => {
    const text = `${a} ${operator} ${operator === '-' ? guarded(b, '-') : b}`;
    return narrow ? `(${type.name})(${text})` : text;
  });
}

/** Will C convert a small literal beside this operand to the operand's type? */
function wideEnough(e: Emitter, type: Type): boolean {
  return type.kind !== 'integer' || bitsOfType(e, type) >= 32;
}

/** A divisor that is known needs no test; C's `/` and `%` truncate as the dialect's do. */
function division(e: Emitter, x: ExpressionOf<'binary'>, type: IntegerType): Written {
  const { left, right } = x;
  const operator = x.operator as '/' | '%';
  const known = right.value !== undefined && (right.value !== -1n || !type.signed);
  if (known) {
    const text = `${expression(e, left, 13)} ${operator} ${expression(e, right, 14, left.kind !== 'literal')}`;
    return [text, STRENGTH[operator]];
  }
  const name = divisionHelper(e, type, operator);
  const tail = e.checked ? `, ${site(e, x.place)}` : '';
  const operands = [left, right].map(operand(e));
  return ordered(e, operands, POSTFIX, ([a, b]) => `${name}(${a}, ${b}${tail})`);
}

/** Counts are taken modulo the width; `>>>` of a signed type shifts its bits as unsigned. */
function shift(e: Emitter, x: ExpressionOf<'binary'>, type: IntegerType): Written {
  const bits = bitsOfType(e, type);
  const { left, right, operator } = x;
  const count: Operand =
    right.value === undefined
      ? { ...operand(e)(right), inPlace: () => `(${expression(e, right, 9)} & ${bits - 1})` }
      : { ...operand(e)(right), inPlace: () => String((right.value as bigint) & BigInt(bits - 1)) };
  const unsigned = `u${bits}`;
  const viaUnsigned = operator === '>>>' && type.signed;
  const narrow = (bits < 32 && operator === '<<') || viaUnsigned;
  const operands = [operand(e, UNARY, false)(left), count];
  return ordered(e, operands, narrow ? UNARY : STRENGTH[operator], ([a, rawCount]) => {
    const n = rawCount.startsWith('_t') ? `(${rawCount} & ${bits - 1})` : rawCount;
    const shifted = `${viaUnsigned ? `(${unsigned})${a}` : a} ${operator === '<<' ? '<<' : '>>'} ${n}`;
    return narrow ? `(${type.name})(${shifted})` : shifted;
  });
}

// --- Conversions ---------------------------------------------------------------------------------

function convert(e: Emitter, x: ExpressionOf<'convert'>): Written {
  const { operand: inner, type } = x;
  const from = inner.type;
  if (type.kind === 'bool') {
    if (from.kind === 'bool') return write(e, inner, false);
    return [`${expression(e, inner, 11)} != 0`, 9];
  }
  if (from === type) return write(e, inner, false);
  if (type.kind === 'enum' || from.kind === 'enum') {
    return [`(${cType(e, type)})${expression(e, inner, UNARY)}`, UNARY];
  }
  const toFloat = type.kind === 'float';
  const fromFloat = from.kind === 'float';
  const loses = fromFloat && !toFloat ? true : narrows(e, from, type);
  const checkedHere = e.checked && x.explicit && x.value === undefined && loses;
  if (checkedHere || (fromFloat && !toFloat)) {
    const name = castHelper(e, from as IntegerType | FloatType, type as IntegerType, checkedHere);
    const tail = checkedHere ? `, ${site(e, x.place)}` : '';
    return [`${name}(${converted(e, inner)}${tail})`, POSTFIX];
  }
  return [`(${cType(e, type)})${expression(e, inner, UNARY)}`, UNARY];
}

function narrows(e: Emitter, from: Type, to: Type): boolean {
  if (to.kind !== 'integer') return false;
  return from.kind === 'integer' && bitsOfType(e, to) < bitsOfType(e, from);
}

// --- Places --------------------------------------------------------------------------------------

/**
 * C of a place (an lvalue). addressOnly: only its address is wanted, so a null pointer is no error
 * yet.
 */
export function place(e: Emitter, x: Expression, addressOnly: boolean): string {
  if (x.kind === 'field') {
    const { base } = x;
    const name = fieldName(x.field);
    if (base.type.kind === 'pointer') {
      if (base.kind === 'ref') return `${place(e, base.target, true)}.${name}`;
      return `${pointer(e, base, x, addressOnly)}->${name}`;
    }
    return `${place(e, base, addressOnly)}.${name}`;
  }
  if (x.kind !== 'index') return expression(e, x, POSTFIX);
  const { base, index } = x;
  const indexOperand = operand(e, ASSIGNMENT, true)(index);
  if (base.type.kind === 'pointer') {
    const whole = base.type;
    const baseOperand: Operand = {
      effect: e.effects.of(base),
      inPlace: () => pointer(e, base, x, addressOnly),
      spill: () => ({ type: whole, c: pointer(e, base, x, addressOnly) }),
      kept: (name) => name,
    };
    return orderedPlace(e, [baseOperand, indexOperand], ([p, i]) => `${p}[${i}]`);
  }
  const count = base.type.kind === 'array' ? base.type.count : 0;
  const at = (i: string) =>
    e.checked && index.value === undefined
      ? `${indexHelper(e)}(${i}, ${count}, ${site(e, x.place)})`
      : i;
  const operands = [placeOperand(e, base), indexOperand];
  return orderedPlace(e, operands, ([a, i]) => `${a}[${at(i)}]`);
}

/** A pointer that is followed. */
function pointer(e: Emitter, base: Expression, x: Expression, addressOnly: boolean): string {
  if (!e.checked || addressOnly || base.kind === 'ref') return expression(e, base, POSTFIX);
  const name = nonnullHelper(e);
  return `((${cType(e, base.type)})${name}(${converted(e, base)}, ${site(e, x.place)}))`;
}

function ref(e: Emitter, x: ExpressionOf<'ref'>): Written {
  const { target } = x;
  const c = `&${place(e, target, true)}`;
  const isTable = root(target)?.table !== undefined;
  return [isTable ? `(${cType(e, x.type)})${c}` : c, UNARY];
}

function root(x: Expression): ExpressionOf<'global'>['global'] | undefined {
  if (x.kind === 'global') return x.global;
  if (x.kind !== 'index' && x.kind !== 'field') return undefined;
  return x.base.type.kind === 'pointer' ? undefined : root(x.base);
}

// --- Calls ---------------------------------------------------------------------------------------

function callPointer(e: Emitter, x: ExpressionOf<'callPointer'>): Written {
  const { callee } = x;
  const own: Operand = {
    ...operand(e, POSTFIX, false)(callee),
    inPlace: () =>
      e.checked
        ? `((${cType(e, callee.type)})${nonnullHelper(e)}(${converted(e, callee)}, ${site(e, x.place)}))`
        : expression(e, callee, POSTFIX),
  };
  // The call itself comes after its arguments, so the callee is only disturbed by them.
  const operands = [own, ...x.arguments.map(operand(e))];
  return ordered(e, operands, POSTFIX, ([f, ...args]) => `${f}(${args.join(', ')})`);
}

function intrinsic(e: Emitter, x: ExpressionOf<'intrinsic'>): Written {
  const { intrinsic: table, types } = x;
  const operands = x.arguments.map((argument, i) => argumentOperand(e, x, argument, i));
  const [c] = ordered(e, operands, ASSIGNMENT, (args) => table.c(use(e, x, args, types)));
  return [c, isClosed(c) ? POSTFIX : ASSIGNMENT];
}

/** A name, or one group of parentheses with or without a function's name before it. */
function isClosed(c: string): boolean {
  const open = /^\w*/.exec(c)?.[0].length ?? 0;
  if (open === c.length) return true;
  let depth = 0;
  for (let i = open; i < c.length; i++) {
    if (c[i] === '(') depth += 1;
    else if (c[i] === ')') depth -= 1;
    else if (c[i] === '"') return false;
    if (depth === 0) return i === c.length - 1;
  }
  return false;
}

function argumentOperand(
  e: Emitter,
  x: ExpressionOf<'intrinsic'>,
  argument: Expression,
  i: number,
): Operand {
  const parameter = x.intrinsic.parameters[i];
  const own = operand(e)(argument);
  const vectorOperator = x.types[0]?.kind === 'vector';
  const { type } = argument;
  if (parameter === 'address') {
    const cast = (c: string) => (type.kind === 'integer' ? `(void *)${c}` : c);
    return {
      ...own,
      inPlace: () => cast(expression(e, argument, type.kind === 'integer' ? UNARY : 12, true)),
      kept: cast,
    };
  }
  // Operators and casts are written around the argument; function arguments need no parentheses.
  let least = vectorOperator || parameter === 'any' ? UNARY : ASSIGNMENT;
  if (parameter === 'string') least = POSTFIX;
  return operand(e, parameter === 'pE' || parameter === 'index' ? 12 : least)(argument);
}

function use(e: Emitter, x: ExpressionOf<'intrinsic'>, args: string[], types: Type[]): Use {
  return {
    args,
    argTypes: x.arguments.map((argument) => argument.type),
    constants: x.arguments.map((argument) =>
      typeof argument.value === 'bigint' ? argument.value : undefined,
    ),
    types,
    result: x.type,
    checked: e.checked,
    c: (type) => cType(e, type),
    mangle,
    bits: (type) => bitsOfType(e, type),
    vector: (element, lanes) =>
      e.types.vector(SCALARS.get(element) as IntegerType | FloatType, lanes),
    helper: (name, definition) => {
      if (name === 'nonnull') nonnullHelper(e);
      else if (!e.helpers.has(name)) e.helpers.set(name, definition);
      return name;
    },
    site: () => site(e, x.place),
    text,
    panic: (message) => panicCall(e, message, x.place),
  };
}
