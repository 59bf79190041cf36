/**
 * Sizes and alignments in memory, by the C ABI that all targets share. The C asserts each struct's
 * size again.
 */

import type { Type } from '../types.ts';

export interface Layout {
  size: number;
  align: number;
}

export function layoutOf(type: Type, pointerBytes: number): Layout {
  const plain = (size: number): Layout => ({ size, align: size });
  switch (type.kind) {
    case 'integer':
      return plain(type.pointerSized ? pointerBytes : type.bits / 8);
    case 'float':
      return plain(type.bits / 8);
    case 'bool':
      return plain(1);
    case 'enum':
      return plain(4);
    case 'pointer':
    case 'function':
      return plain(pointerBytes);
    case 'string':
      return { size: 2 * pointerBytes, align: pointerBytes };
    case 'vector':
      return plain((type.element.bits / 8) * type.lanes);
    case 'array': {
      const of = layoutOf(type.of, pointerBytes);
      return { size: of.size * type.count, align: of.align };
    }
    case 'struct':
      return { size: type.size, align: type.align };
    default:
      return { size: 0, align: 1 };
  }
}
