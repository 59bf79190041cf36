/** Builtins of memory: plain, volatile and atomic access, blocks, addresses. */

import type { Intrinsic, Use } from './intrinsic.ts';

/** The address argument, checked for null in checked builds. */
function address(use: Use): string {
  if (!use.checked) return use.args[0];
  use.helper('nonnull', '');
  return `nonnull(${use.args[0]}, ${use.site()})`;
}

const at = (use: Use, qualifier = '') => `(${qualifier}${use.c(use.types[0])} *)${address(use)}`;

const access = (use: Use) => `*${at(use, 'volatile ')}`;

const fetch = (name: string): Intrinsic => ({
  name: `atomic.${name}`,
  generic: true,
  of: 'integer',
  parameters: ['address', 'T'],
  result: 'T',
  effect: 'writes',
  c: (use) => `__atomic_fetch_${name}(${at(use)}, ${use.args[1]}, __ATOMIC_SEQ_CST)`,
});

export const memory: Intrinsic[] = [
  {
    name: 'load',
    generic: true,
    parameters: ['address', 'usize'],
    optional: 1,
    result: 'T',
    effect: 'reads',
    c: (use) => {
      const type = use.c(use.types[0]);
      const name = `load_${use.mangle(use.types[0])}`;
      // Any byte but 0 is true: C's bool may hold nothing but 0 and 1.
      const stored = use.types[0].kind === 'bool' ? 'u8' : type;
      const value = stored === type ? 'r' : 'r != 0';
      const body = `${stored} r; __builtin_memcpy(&r, p, sizeof r); return ${value};`;
      const from = address(use);
      use.helper(name, `HELPER ${type} ${name}(const void *p) { ${body} }`);
      return `${name}(${use.args[1] === undefined ? from : `(u8 *)${from} + ${use.args[1]}`})`;
    },
  },
  {
    name: 'store',
    generic: true,
    parameters: ['address', 'T', 'usize'],
    optional: 1,
    result: 'void',
    effect: 'writes',
    c: (use) => {
      const type = use.c(use.types[0]);
      const name = `store_${use.mangle(use.types[0])}`;
      const body = `__builtin_memcpy(p, &value, sizeof value);`;
      const to = address(use);
      use.helper(name, `HELPER void ${name}(void *p, ${type} value) { ${body} }`);
      const place = use.args[2] === undefined ? to : `(u8 *)${to} + ${use.args[2]}`;
      return `${name}(${place}, ${use.args[1]})`;
    },
  },
  {
    name: 'volatile.load',
    generic: true,
    of: 'scalar',
    parameters: ['address'],
    result: 'T',
    effect: 'writes',
    c: access,
  },
  {
    name: 'volatile.store',
    generic: true,
    of: 'scalar',
    parameters: ['address', 'T'],
    result: 'void',
    effect: 'writes',
    c: (use) => `${access(use)} = ${use.args[1]}`,
  },
  {
    name: 'atomic.load',
    generic: true,
    of: 'integer',
    parameters: ['address'],
    result: 'T',
    effect: 'writes',
    c: (use) => `__atomic_load_n(${at(use)}, __ATOMIC_SEQ_CST)`,
  },
  {
    name: 'atomic.store',
    generic: true,
    of: 'integer',
    parameters: ['address', 'T'],
    result: 'void',
    effect: 'writes',
    c: (use) => `__atomic_store_n(${at(use)}, ${use.args[1]}, __ATOMIC_SEQ_CST)`,
  },
  fetch('add'),
  fetch('sub'),
  {
    name: 'memory.copy',
    parameters: ['address', 'address', 'usize'],
    result: 'void',
    effect: 'writes',
    c: (use) => `__builtin_memmove(${use.args.join(', ')})`,
  },
  {
    name: 'memory.fill',
    parameters: ['address', 'u8', 'usize'],
    result: 'void',
    effect: 'writes',
    c: (use) => `__builtin_memset(${use.args.join(', ')})`,
  },
  {
    name: 'memory.compare',
    parameters: ['address', 'address', 'usize'],
    result: 'i32',
    effect: 'reads',
    c: (use) => `__builtin_memcmp(${use.args.join(', ')})`,
  },
  {
    name: 'memory.prefetch',
    parameters: ['address'],
    result: 'void',
    effect: 'none',
    c: (use) => `__builtin_prefetch((const void *)${use.args[0]})`,
  },
  {
    name: 'utf8',
    parameters: ['string'],
    result: 'Ptr<u8>',
    effect: 'none',
    c: (use) => `${use.args[0]}.data`,
  },
  {
    name: 'changetype',
    generic: true,
    parameters: ['any'],
    result: 'T',
    effect: 'none',
    c: (use) => `(${use.c(use.types[0])})${use.args[0]}`,
  },
  {
    name: 'unreachable',
    parameters: [],
    result: 'never',
    effect: 'writes',
    c: (use) => (use.checked ? use.panic(use.text('unreachable')) : '__builtin_trap()'),
  },
  {
    name: 'assert',
    parameters: ['bool', 'string'],
    optional: 1,
    result: 'void',
    effect: 'writes',
    // The emitter leaves the whole statement out of release builds.
    c: (use) => {
      if (!use.checked) return '(void)0';
      const message = use.args[1] ?? use.text('assertion failed');
      return `(${use.args[0]} ? (void)0 : ${use.panic(message)})`;
    },
  },
];
