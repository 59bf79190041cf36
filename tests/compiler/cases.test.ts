/**
 * One folder per case: input.ts → expected.c, or expected.txt with diagnostics. UPDATE=1 writes
 * what came out. First line of input.ts: `// checked`, `// target wasm32` where wanted.
 * modules.json: bare specifier → constants, or a file of the folder; units.json: further units,
 * whose C comes after the main unit's.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Architecture,
  type Constants,
  compileToC,
  DIAGNOSTICS,
  formatDiagnostics,
  type UnitInput,
} from '../../src/compiler/index.ts';

const folder = join(import.meta.dirname, 'cases');
const update = process.env.UPDATE === '1';

/** The C without what is the same in every program, which case `prelude` shows. */
function own(c: string): string {
  const end = /int memcmp\([^)]*\)(;| \{[\s\S]*?\n\})\n/.exec(c) as RegExpExecArray;
  return c.slice(end.index + end[0].length + 1);
}

function compileCase(name: string): { file: string; text: string } {
  const home = join(folder, name);
  const input = join(home, 'input.ts');
  const first = readFileSync(input, 'utf8').split('\n', 1)[0];
  const arch = (/target (\w+)/.exec(first)?.[1] ?? 'x86_64') as Architecture;
  const { c, units, diagnostics } = compileToC({
    entry: relative(process.cwd(), input),
    modules: modulesOf(home, readJson(join(home, 'modules.json'))),
    units: unitsOf(home, readJson(join(home, 'units.json'))),
    target: { arch },
    checked: first.includes('checked'),
  });
  if (diagnostics.length > 0) {
    return { file: 'expected.txt', text: `${formatDiagnostics(diagnostics)}\n` };
  }
  const further = Object.entries(units).map(([unit, c]) => `\n// unit ${unit}\n${own(c)}`);
  return { file: 'expected.c', text: [name === 'prelude' ? c : own(c), ...further].join('') };
}

function readJson(path: string) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** Files by their path. */
function modulesOf(home: string, modules: Record<string, string | Constants> = {}) {
  return Object.fromEntries(
    Object.entries(modules).map(([name, module]) => [
      name,
      typeof module === 'string' ? join(home, module) : module,
    ]),
  );
}

function unitsOf(home: string, units?: UnitInput[]): UnitInput[] | undefined {
  return units?.map(({ name, root, modules }) => ({
    ...{ name, root: join(home, root) },
    modules: modulesOf(home, modules),
  }));
}

const names = readdirSync(folder);

describe('cases', () => {
  test.each(names)('%s', (name) => {
    const { file, text } = compileCase(name);
    const path = join(folder, name, file);
    if (update) {
      const other = file === 'expected.c' ? 'expected.txt' : 'expected.c';
      rmSync(join(folder, name, other), { force: true });
      writeFileSync(path, text);
    }
    expect(text).toBe(existsSync(path) ? readFileSync(path, 'utf8') : `${path} is missing`);
  });
});

test('every diagnostic has a case', () => {
  const all = names
    .map((name) => join(folder, name, 'expected.txt'))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const missing = Object.keys(DIAGNOSTICS).filter((code) => !all.includes(`error ${code}:`));
  expect(missing).toEqual([]);
});
