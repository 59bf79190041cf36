/**
 * Calls of builtins: the compile-time ones here, all others by the signatures of
 * src/compiler/intrinsics.
 */

import ts from 'typescript';
import { INTRINSICS, VECTOR_INTRINSICS } from '../intrinsics/index.ts';
import type { Intrinsic, Parameter } from '../intrinsics/intrinsic.ts';
import { pointerBytes } from '../target.ts';
import type { Expression } from '../tree.ts';
import {
  bool,
  f32,
  type IntegerType,
  i32,
  isNumber,
  isValue,
  neverType,
  SCALARS,
  stringType,
  type Type,
  usize,
  type VectorType,
  voidType,
} from '../types.ts';
import { checkConstant } from './constants.ts';
import { type Context, errorAt, place, refuse, report } from './context.ts';
import { coerce, implicit, literal, unify } from './convert.ts';
import { checkExpression, checkValue, isPlace, rootOf } from './expressions.ts';
import { refuseEveryUnit } from './globals.ts';
import { layoutOf } from './layout.ts';
import { isUntyped } from './operators.ts';
import { typeFrom } from './types.ts';

export function checkBuiltin(
  context: Context,
  node: ts.CallExpression,
  name: string,
  vector: VectorType | undefined,
  expected: Type | undefined,
): Expression {
  if (vector === undefined) {
    if (name === 'sizeof') return checkSizeof(context, node);
    if (name === 'ref') return checkRef(context, node);
    if (name === 'asm') {
      const instead = 'it is a statement; its outputs are local variables';
      return refuse(context, node, 'MU101', { what: 'asm(…) as a value', instead });
    }
    if (name === 'zeroed') {
      const type = node.typeArguments?.[0]?.getText() ?? 'S';
      return refuse(context, node, 'MU407', { type });
    }
    if (name === 'everyUnit') return refuseEveryUnit(context, node);
  }
  const intrinsic = (vector === undefined ? INTRINSICS : VECTOR_INTRINSICS).get(name);
  if (intrinsic === undefined) {
    if (vector === undefined && !name.includes('.')) {
      return refuse(context, node.expression, 'MU201', { name });
    }
    const written = node.expression.getText();
    const root = written.split('.')[0];
    const known = [...INTRINSICS.keys()].some((key) => key.startsWith(`${root}.`));
    if (vector === undefined && !known) {
      return refuse(context, node.expression, 'MU201', { name: root });
    }
    return refuse(context, node.expression, 'MU603', { name: written });
  }
  return checkIntrinsic(context, node, intrinsic, vector, expected);
}

function checkSizeof(context: Context, node: ts.CallExpression): Expression {
  const [argument, ...more] = node.typeArguments ?? [];
  if (argument === undefined || more.length > 0) {
    const actual = node.typeArguments?.length ?? 0;
    return refuse(context, node, 'MU209', { name: 'sizeof', expected: 1, actual });
  }
  if (node.arguments.length > 0) {
    const actual = node.arguments.length;
    const values = { name: 'sizeof', expected: 0, actual, parameters: '' };
    return refuse(context, node, 'MU308', values);
  }
  const type = typeFrom(context, argument);
  if (type.kind === 'error') return errorAt(place(context, node));
  const { size } = layoutOf(type, pointerBytes(context.checker.target));
  return literal(context, node, usize, BigInt(size));
}

function checkRef(context: Context, node: ts.CallExpression): Expression {
  if (node.arguments.length !== 1) {
    const values = { name: 'ref', expected: 1, actual: node.arguments.length, parameters: 'place' };
    return refuse(context, node, 'MU308', values);
  }
  const target = checkExpression(context, node.arguments[0]);
  if (target.kind === 'error') return target;
  if (!isPlace(target)) return refuse(context, node.arguments[0], 'MU311', { what: 'pointed to' });
  const root = rootOf(target);
  if (root?.kind === 'local') root.local.addressed = true;
  if (isMisaligned(context, target)) {
    return refuse(context, node.arguments[0], 'MU318', { type: target.type.name });
  }
  const type = context.checker.types.pointer(target.type);
  return { kind: 'ref', target, type, place: place(context, node) };
}

/** A field of a packed struct, or what lies in one, where a pointer to its type could not point. */
function isMisaligned(context: Context, target: Expression): boolean {
  if (target.kind !== 'field' && target.kind !== 'index') return false;
  const { type } = target.base;
  const struct = type.kind === 'pointer' ? type.to : type;
  const { align } = layoutOf(target.type, pointerBytes(context.checker.target));
  if (struct.kind === 'struct' && struct.packed && struct.align < align) return true;
  if (type.kind === 'pointer') return false;
  return align > 1 && isMisaligned(context, target.base) && target.kind === 'index';
}

function checkIntrinsic(
  context: Context,
  node: ts.CallExpression,
  intrinsic: Intrinsic,
  vector: VectorType | undefined,
  expected: Type | undefined,
): Expression {
  const at = place(context, node);
  const name = vector === undefined ? intrinsic.name : `${vector.name}.${intrinsic.name}`;
  const { parameters } = intrinsic;
  const actual = node.arguments.length;
  const least = parameters.length - (intrinsic.optional ?? 0);
  const most = parameters.length;
  if (actual < least || actual > most) {
    const arity = `${least}${most > least ? ` to ${most}` : ''}`;
    const values = { name, expected: arity, actual, parameters: parameters.join(', ') };
    return refuse(context, node, 'MU308', values);
  }
  for (const argument of node.arguments) {
    if (ts.isSpreadElement(argument)) {
      const instead = 'pass the arguments one by one';
      return refuse(context, argument, 'MU101', { what: 'spread', instead });
    }
  }
  const givenTypes = node.typeArguments?.map((argument) => typeFrom(context, argument)) ?? [];
  const expectedTypes = intrinsic.generic ? 1 : 0;
  if (givenTypes.length > expectedTypes) {
    const values = { name, expected: expectedTypes, actual: givenTypes.length };
    return refuse(context, node, 'MU209', values);
  }
  if (givenTypes[0]?.kind === 'error') return errorAt(at);

  let subject: Type | undefined = vector ?? givenTypes[0];
  const checked: (Expression | undefined)[] = new Array(actual).fill(undefined);
  if (subject === undefined && intrinsic.generic) {
    subject = inferSubject(context, node, intrinsic, checked, expected);
    if (checked.some((argument) => argument?.kind === 'error')) return errorAt(at);
    if (subject === undefined) {
      return refuse(context, node, 'MU210', { name: 'T', call: name });
    }
  }
  if (subject?.kind === 'enum') subject = i32;
  if (subject !== undefined) {
    const instead = misfit(intrinsic, subject);
    if (instead !== undefined) {
      return refuse(context, node, 'MU602', { name, type: subject.name, instead });
    }
  }
  const given = node.arguments.map((argument, i) =>
    checkParameter(context, argument, parameters[i], subject, checked[i]),
  );
  if (given.some((argument) => argument.kind === 'error')) return errorAt(at);
  if (!argumentsFit(context, node, intrinsic, subject, given)) return errorAt(at);
  const types = subject === undefined ? [] : [subject];
  const type = parameterType(context, intrinsic.result, subject);
  return { kind: 'intrinsic', intrinsic, types, arguments: given, type, place: at };
}

/**
 * T from the arguments that stand for it: those with a type first, then literals, then what the
 * surroundings want.
 */
function inferSubject(
  context: Context,
  node: ts.CallExpression,
  intrinsic: Intrinsic,
  checked: (Expression | undefined)[],
  expected: Type | undefined,
): Type | undefined {
  let subject: Type | undefined;
  let first: Expression | undefined;
  const positions = node.arguments.map((_, i) => i).filter((i) => intrinsic.parameters[i] === 'T');
  for (const i of positions) {
    const argument = node.arguments[i];
    if (isUntyped(argument)) continue;
    const found = checkValue(context, argument);
    checked[i] = found;
    if (found.kind === 'error') return undefined;
    if (first === undefined) first = found;
    else {
      const both = unify(context, implicitOr(first, subject), found);
      subject = both?.type ?? subject;
      first = both?.left ?? first;
    }
    subject ??= found.type;
  }
  if (subject !== undefined || positions.length === 0) return subject;
  const wanted = expected !== undefined && isNumber(expected) ? expected : undefined;
  const argument = node.arguments[positions[0]];
  return wanted ?? checkExpression(context, argument, expected).type;
}

const implicitOr = (expression: Expression, type: Type | undefined): Expression =>
  type === undefined ? expression : { ...expression, type };

/** Why the builtin is not for the type, as advice; undefined if it is. */
function misfit(intrinsic: Intrinsic, subject: Type): string | undefined {
  const type = subject.kind === 'vector' ? subject.element : subject;
  switch (intrinsic.of) {
    case 'integer':
      return type.kind === 'integer' ? undefined : 'it is for integers';
    case 'float':
      return type.kind === 'float' ? undefined : 'it is for f32 and f64';
    case 'number':
      return isNumber(type) && subject.kind !== 'vector' ? undefined : 'it is for single numbers';
    case 'scalar': {
      const kinds = ['integer', 'float', 'bool', 'pointer', 'enum'];
      return kinds.includes(subject.kind) ? undefined : 'it is for numbers, bool and pointers';
    }
    case 'f32':
      return type === f32 ? undefined : 'it is for f32';
    case 'i32':
      return type === i32 && subject.kind === 'vector' && subject.lanes <= 16
        ? undefined
        : 'it is for i32x2 … i32x16';
    case 'i16':
      return type === SCALARS.get('i16') && subject.kind === 'vector' && subject.lanes <= 32
        ? undefined
        : 'it is for i16x2 … i16x32';
    case 'i8':
      return type === SCALARS.get('i8') ? undefined : 'it is for vectors of i8';
    default:
      return isValue(subject) ? undefined : 'it is for what a variable can hold';
  }
}

function parameterType(context: Context, parameter: Parameter, subject: Type | undefined): Type {
  const { types } = context.checker;
  const vector = subject?.kind === 'vector' ? subject : undefined;
  switch (parameter) {
    case 'T':
    case 'V':
      return subject as Type;
    case 'E':
      return (vector as VectorType).element;
    case 'M':
      return types.mask(vector as VectorType);
    case 'pE':
      return types.pointer((vector as VectorType).element);
    case 'U8':
    case 'I8':
    case 'I16': {
      const element = SCALARS.get(parameter.toLowerCase()) as IntegerType;
      const { lanes, element: own } = vector as VectorType;
      return types.vector(element, (lanes * own.bits) / element.bits);
    }
    case 'string':
      return stringType;
    case 'void':
      return voidType;
    case 'never':
      return neverType;
  }
  if (parameter.startsWith('Ptr<')) {
    return types.pointer(parameterType(context, parameter.slice(4, -1), subject));
  }
  return SCALARS.get(parameter) ?? bool;
}

function checkParameter(
  context: Context,
  node: ts.Expression,
  parameter: Parameter,
  subject: Type | undefined,
  already: Expression | undefined,
): Expression {
  const wrong = (expected: string, actual: Type, instead: string) =>
    refuse(context, node, 'MU301', { expected, actual: actual.name, instead });
  switch (parameter) {
    case 'address': {
      const found = checkValue(context, node, isUntyped(node) ? usize : undefined);
      const { kind } = found.type;
      if (found.kind === 'error' || kind === 'pointer' || kind === 'null') return found;
      if (found.type === usize) return found;
      return found.type.kind === 'integer'
        ? coerce(context, node, found, usize)
        : wrong('an address (usize or Ptr)', found.type, 'ref(place) or utf8(text)');
    }
    case 'index': {
      const found = checkValue(context, node);
      if (found.kind === 'error' || found.type.kind === 'integer') return found;
      return wrong('an integer', found.type, 'cast: usize(…)');
    }
    case 'constant':
      return checkConstant(context, node, i32, 'a lane') ?? errorAt(place(context, node));
    case 'any':
    case 'W':
      return checkValue(context, node);
  }
  const type = parameterType(context, parameter, subject);
  if (already !== undefined) return coerce(context, node, already, type);
  return coerce(context, node, checkExpression(context, node, type), type);
}

/**
 * What the signatures cannot say: shapes of convert and reinterpret, lanes in range, changetype's
 * pairs.
 */
function argumentsFit(
  context: Context,
  node: ts.CallExpression,
  intrinsic: Intrinsic,
  subject: Type | undefined,
  given: Expression[],
): boolean {
  const fail = (index: number, expected: string, instead: string) => {
    const values = { expected, actual: given[index].type.name, instead };
    report(context, node.arguments[index], 'MU301', values);
    return false;
  };
  if (subject?.kind === 'vector') {
    const { lanes, element, name } = subject;
    const from = given[0]?.type;
    if (intrinsic.name === 'convert') {
      if (from.kind !== 'vector' || from.lanes !== lanes) {
        return fail(0, `a vector of ${lanes} lanes`, `${name}.convert keeps the number of lanes`);
      }
    } else if (intrinsic.name === 'reinterpret') {
      const bytes = lanes * element.bits;
      if (from.kind !== 'vector' || from.lanes * from.element.bits !== bytes) {
        return fail(0, `a vector of ${bytes / 8} bytes`, 'the number of bytes stays the same');
      }
    } else if (intrinsic.name === 'lane') {
      const lane = given[1].value as bigint;
      if (lane < 0n || lane >= BigInt(lanes)) {
        const values = { index: String(lane), type: name, last: lanes - 1 };
        report(context, node.arguments[1], 'MU404', values);
        return false;
      }
    }
  }
  if (intrinsic.name === 'changetype' && subject !== undefined) {
    const isAddress = (type: Type) =>
      type === usize || type.kind === 'pointer' || type.kind === 'function' || type.kind === 'null';
    if (!isAddress(subject) || !isAddress(given[0].type)) {
      return fail(0, `a pointer, function pointer or usize`, 'cast numbers: usize(…), i32(…)');
    }
    given[0] = given[0].kind === 'null' ? implicit(context, given[0], subject) : given[0];
  }
  return true;
}
