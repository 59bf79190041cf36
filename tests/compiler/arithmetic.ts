/** One function per operation and type, as source in the subset that AssemblyScript shares. */

import { FLOATS, INTEGERS, type TestType } from './types.ts';

export interface Operation {
  name: string;
  parameters: TestType[];
  result: TestType;
  source: string;
}

const BOOL: TestType = { name: 'bool', bits: 32, kind: 'signed' };
const WORDS: Record<string, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'rem',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<<': 'shl',
  '>>': 'shr',
  '>>>': 'shru',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
};
const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];

function define(name: string, parameters: TestType[], result: TestType, body: string): Operation {
  const list = parameters.map((type, i) => `${'abc'[i]}: ${type.name}`).join(', ');
  const source = `export function ${name}(${list}): ${result.name} { return ${body}; }`;
  return { name, parameters, result, source };
}

/** `a operator b` for a type. */
export function binaryOperations(type: TestType): Operation[] {
  const operators =
    type.kind === 'float'
      ? ['+', '-', '*', '/']
      : ['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>'];
  return [
    ...operators.map((op) => define(`${WORDS[op]}_${type.name}`, [type, type], type, `a ${op} b`)),
    ...COMPARISONS.map((op) =>
      define(`${WORDS[op]}_${type.name}`, [type, type], BOOL, `a ${op} b`),
    ),
  ];
}

export function unaryOperations(type: TestType): Operation[] {
  const t = type.name;
  if (type.kind === 'float') {
    return [
      define(`neg_${t}`, [type], type, '-a'),
      ...['sqrt', 'nearest'].map((name) =>
        define(`${name}_${t}`, [type], type, `${name}<${t}>(a)`),
      ),
    ];
  }
  return [
    define(`neg_${t}`, [type], type, '-a'),
    define(`not_${t}`, [type], type, '~a'),
    define(`min_${t}`, [type, type], type, `min<${t}>(a, b)`),
    define(`max_${t}`, [type, type], type, `max<${t}>(a, b)`),
    define(`rotr_${t}`, [type, type], type, `rotr<${t}>(a, b)`),
    ...(type.bits >= 32
      ? ['ctz', 'popcnt'].map((name) => define(`${name}_${t}`, [type], type, `${name}<${t}>(a)`))
      : []),
  ];
}

/** Casts from every type to every other, and to bool. */
export function casts(): Operation[] {
  const all = [...INTEGERS, ...FLOATS];
  return all.flatMap((from) => [
    ...all.map((to) => define(`${to.name}_from_${from.name}`, [from], to, `${to.name}(a)`)),
    define(`bool_from_${from.name}`, [from], BOOL, 'bool(a)'),
  ]);
}

export function allOperations(): Operation[] {
  const types = [...INTEGERS, ...FLOATS];
  return [...types.flatMap(binaryOperations), ...types.flatMap(unaryOperations), ...casts()];
}
