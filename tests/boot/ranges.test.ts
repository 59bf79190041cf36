/**
 * Numbers that a loader or firmware may tell, also hostile ones, against integers that do not wrap.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { runWasm } from '../compiler/build.ts';

const entry = join(import.meta.dirname, 'apps/ranges.ts');
const { c, diagnostics } = compileToC({ entry, target: { arch: 'wasm32' } });
if (diagnostics.length > 0) throw new Error(formatDiagnostics(diagnostics));
const { exports, memory } = runWasm(c);

const MAP = 0x100000;
const LAST = 2n ** 64n - 1n;
const RUNS = { numRuns: 4_000 };

const call = (name: string, ...args: (bigint | number)[]) => {
  const given = args.map((x) => (typeof x === 'bigint' ? BigInt.asIntN(64, x) : x));
  return exports[name](...given);
};
const asks = (name: string, ...args: (bigint | number)[]) => call(name, ...args) === 1;
const counts = (name: string, ...args: (bigint | number)[]) =>
  BigInt.asUintN(64, call(name, ...args) as bigint);

/** Small ones, so that ranges meet, and ones at the ends of what 64 bits hold. */
const small = fc.bigInt(0n, 40n);
const u64 = fc.oneof(
  small,
  small.map((x) => LAST - x),
  small.map((x) => 2n ** 32n - 20n + x),
  small.map((x) => 2n ** 63n - 20n + x),
  fc.bigInt(0n, LAST),
);

interface Range {
  address: bigint;
  length: bigint;
  type: number;
}
const range = fc.record({ address: u64, length: u64, type: fc.constantFrom(1, 1, 1, 2, 0) });
const map = fc.array(range, { maxLength: 5 });

function layOut(ranges: readonly Range[]): number {
  const view = new DataView(memory.buffer, MAP);
  ranges.forEach(({ address, length, type }, i) => {
    view.setBigUint64(24 * i, address, true);
    view.setBigUint64(24 * i + 8, length, true);
    view.setUint32(24 * i + 16, type, true);
  });
  return ranges.length;
}

/** Whether ranges of RAM, put together, hold all bytes; a range ends with the address space. */
function isCovered(ranges: readonly Range[], start: bigint, length: bigint): boolean {
  const end = start + length;
  if (end > LAST) return false;
  let at = start;
  const ram = ranges.filter(({ type }) => type === 1);
  for (const { address, length } of ram.toSorted((a, b) => (a.address < b.address ? -1 : 1))) {
    const stop = address + length < LAST ? address + length : LAST;
    if (address <= at && stop > at) at = stop;
  }
  return at >= end;
}

test('a range ends at a limit or below', () => {
  fc.assert(
    fc.property(u64, u64, u64, (start, length, end) => {
      expect(asks('within', start, length, end)).toBe(start + length <= end);
    }),
    RUNS,
  );
});

test('two ranges have a byte in common', () => {
  const within = ([start, length]: readonly [bigint, bigint]) => start + length <= LAST;
  const pair = fc.tuple(u64, u64).filter(within);
  fc.assert(
    fc.property(pair, pair, ([a, la], [b, lb]) => {
      const first = a > b ? a : b;
      const last = a + la < b + lb ? a + la : b + lb;
      expect(asks('overlaps', a, la, b, lb)).toBe(first < last);
    }),
    RUNS,
  );
});

test('pieces that bytes fill or begin', () => {
  fc.assert(
    fc.property(
      u64,
      u64.filter((x) => x > 0n),
      (bytes, size) => {
        expect(counts('pieces', bytes, size)).toBe((bytes + size - 1n) / size);
      },
    ),
    RUNS,
  );
});

test('RAM by a map of any numbers: every byte of it, and no sum wraps', () => {
  fc.assert(
    fc.property(map, u64, u64, (ranges, start, length) => {
      const count = layOut(ranges);
      expect(asks('allRam', count, start, length)).toBe(isCovered(ranges, start, length));
      const more = counts('ram', count, start);
      expect(start + more <= LAST).toBe(true);
      expect(isCovered(ranges, start, more)).toBe(true);
    }),
    RUNS,
  );
});

test('image and pack: in RAM, and apart', () => {
  fc.assert(
    fc.property(map, u64, u64, u64, u64, (ranges, image, imageLength, start, length) => {
      const inRam = isCovered(ranges, image, imageLength) && isCovered(ranges, start, length);
      const apart = start >= image + imageLength || image >= start + length;
      const nothing = length === 0n || imageLength === 0n;
      const fits = asks('fit', layOut(ranges), image, imageLength, start, length);
      expect(fits).toBe(inRam && (apart || nothing));
    }),
    RUNS,
  );
});

test('the case that was found: a pack whose end wraps, and one outside of RAM', () => {
  const count = layOut([{ address: 0x100000n, length: 0x7f00000n, type: 1 }]);
  const image = [0x200000n, 0x100000n] as const;
  expect(asks('fit', count, ...image, 0x1000000n, 0x100000n)).toBe(true);
  expect(asks('fit', count, ...image, LAST - 0xfffn, 0x101000n)).toBe(false);
  expect(asks('fit', count, ...image, 0x1000000n, LAST - 0xfffffn)).toBe(false);
  expect(asks('fit', count, ...image, 0x8000000n, 0x1000n)).toBe(false);
  expect(asks('fit', count, ...image, 0x7fff000n, 0x2000n)).toBe(false);
});
