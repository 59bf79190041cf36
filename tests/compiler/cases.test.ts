/**
 * One folder per case: input.ts → expected.c, or expected.txt with diagnostics. UPDATE=1 writes what came out.
 * First line of input.ts: `// checked`, `// target wasm32` where wanted. modules.json: bare specifier → constants.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Architecture,
  compileToC,
  DIAGNOSTICS,
  formatDiagnostics,
} from '../../src/compiler/index.ts';

const folder = join(import.meta.dirname, 'cases');
const update = process.env.UPDATE === '1';

/** The C without what is the same in every program, which case `prelude` shows. */
function own(c: string): string {
  const end = c.indexOf('int memcmp(');
  return c.slice(c.indexOf('\n}\n', end) + 4);
}

function compileCase(name: string): { file: string; text: string } {
  const home = join(folder, name);
  const input = join(home, 'input.ts');
  const first = readFileSync(input, 'utf8').split('\n', 1)[0];
  const arch = (/target (\w+)/.exec(first)?.[1] ?? 'x86_64') as Architecture;
  const constants = join(home, 'modules.json');
  const { c, diagnostics } = compileToC({
    entry: relative(process.cwd(), input),
    modules: existsSync(constants) ? JSON.parse(readFileSync(constants, 'utf8')) : {},
    target: { arch },
    checked: first.includes('checked'),
  });
  if (diagnostics.length > 0) {
    return { file: 'expected.txt', text: `${formatDiagnostics(diagnostics)}\n` };
  }
  return { file: 'expected.c', text: name === 'prelude' ? c : own(c) };
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
