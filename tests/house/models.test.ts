/**
 * README.md lists the families and the weight types that a model may have, as their rows say
 * (src/model/architectures.ts, src/model/formats.ts). UPDATE=1 writes its table anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  architectures,
  type TensorType,
  TILE_ROWS,
  tensorTypes,
  tiledBytes,
  weightTypes,
} from '../../src/model/index.ts';
import { root } from './committed.ts';

const PAGE = join(root, 'README.md');
const TABLE = /(?<=\| \| in the file \| \|\n\|[-|]+\n)(?:\|.*\n)*/;

/** Columns that are whole blocks and tiles of any type. */
const COLUMNS = 256;

function describeType(name: TensorType): string {
  const { block, bytes, tile } = weightTypes[name];
  const stored = (8 * bytes) / block;
  const packed = (8 * tiledBytes(tile, TILE_ROWS, COLUMNS)) / (TILE_ROWS * COLUMNS);
  const bits = (count: number) => Number(count.toFixed(2));
  return `${bits(stored)} bits a weight, ${bits(packed)} in a pack`;
}

const rows = [
  ...Object.entries(architectures).map(([name, { models }]) => ['family', name, models]),
  ...tensorTypes.map((name) => ['weights', name, describeType(name)]),
];

test('README.md lists the families and the weight types', () => {
  const table = rows.map(([what, name, text]) => `| ${what} | \`${name}\` | ${text} |\n`).join('');
  const text = readFileSync(PAGE, 'utf8');
  if (process.env.UPDATE === '1') writeFileSync(PAGE, text.replace(TABLE, table));
  else expect(TABLE.exec(text)?.[0]).toBe(table);
});
