/**
 * What a program holds of its files: the compiler says which declarations, their lines are counted.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileToC } from '../../src/compiler/index.ts';
import { countReached } from '../../src/lines/reached.ts';

const root = mkdtempSync(join(tmpdir(), 'mu-reached-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SOURCES = {
  'app/main.ts': `import {
  SIZE,
  STEPS,
} from 'model';
import { area, type Box } from '../shapes/box.ts';

const UNUSED: u32 = 3;
const FOLDED: u32 = 4;
const box = zeroed<Box>();

/** Not counted.
 *  Neither this. */
export function run(): u32 {
  // nor this
  if (SIZE > 8) {
    return large();
  } else {

    box.width = 2;
    return area(ref(box)) + FOLDED + STEPS[box.width];
  }
}

function large(): u32 {
  return 7;
}
`,
  'shapes/box.ts': `export class Box {
  width!: u32;
}

export class Ball {
  radius!: u32;
}

const SIDES: FixedArray<u32> = [
  1, 2,
];

export function area(box: Ptr<Box>): u32 {
  return box.width * SIDES[1];
}

export function volume(ball: Ptr<Ball>): u32 {
  return ball.radius;
}
`,
};
for (const [name, text] of Object.entries(SOURCES)) {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), text);
}

/**
 * Code lines by layer of a program with this constant, and with one more unit of the shapes or
 * without.
 */
function count(size: number, units: string[] = []): Record<string, number> {
  const { reached, diagnostics } = compileToC({
    entry: join(root, 'app/main.ts'),
    modules: { model: { SIZE: size, STEPS: { type: 'u32', value: [3, 4] } } },
    target: { arch: 'x86_64' },
    units: units.map((name) => ({ name, root: join(root, 'shapes/box.ts'), modules: {} })),
  });
  expect(diagnostics).toEqual([]);
  const declarations = reached.map(({ file, line }) => ({ file: relative(root, file), line }));
  return Object.fromEntries(countReached(declarations, root));
}

test('functions, structs, tables, constants and storage that are used; no comments, imports, or what nothing calls', () => {
  const run = 8; // what stands within it counts, whether or not this model needs it
  expect(count(4)).toEqual({ app: run + 2, shapes: 3 + 3 + 3 });
});

test('what one model calls and another does not', () => {
  expect(count(16)).toEqual({ app: 8 + 3 });
});

test('what several units hold counts once; what a unit alone calls, too', () => {
  const { shapes } = count(4, ['avx2']);
  expect(shapes).toBe(3 + 3 + 3 + 3 + 3); // its root's exports are volume(), and Ball, too
});
