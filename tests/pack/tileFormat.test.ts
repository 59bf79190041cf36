/** What host and guest each write down of the tile formats is the same: read from the guest's code, compiled. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TILE_ROWS, type TileFormatName, tileFormats } from '../../src/model/index.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { runWasm, toC } from '../compiler/build.ts';

const names = Object.keys(tileFormats) as TileFormatName[];

/** Tells what guest/kernels/tileFormat.ts has of each name. */
const source = `
  import { blockColumns, TILE_ROWS, TileFormat, tileBytes } from 'format';
  export function tileRows(): i32 { return TILE_ROWS; }
  ${names
    .map(
      (name) => `
  export function number_${name}(): i32 { return TileFormat.${name}; }
  export function columns_${name}(): i32 { return blockColumns(TileFormat.${name}); }
  export function bytes_${name}(columns: i32): usize { return tileBytes(TileFormat.${name}, columns); }`,
    )
    .join('')}
`;

test('the guest’s numbers and sizes of tile formats are the host’s', () => {
  const format = join(PROJECT_ROOT, 'guest/kernels/tileFormat.ts');
  const c = toC(source, {
    modules: { format, model: Object.fromEntries(names.map((name) => [`USES_${name}`, true])) },
    read: (path) => (path === format ? readFileSync(path, 'utf8') : source),
  });
  const { exports: guest } = runWasm(c);
  expect(guest.tileRows()).toBe(TILE_ROWS);
  for (const name of names) {
    const { number, columns, bytes } = tileFormats[name];
    const found = {
      number: guest[`number_${name}`](),
      columns: guest[`columns_${name}`](),
      bytes: guest[`bytes_${name}`](columns),
    };
    expect({ name, ...found }).toEqual({ name, number, columns, bytes });
  }
});
