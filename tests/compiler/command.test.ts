/** `mu compile`: C on stdout, programs that run, errors that editors can follow. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const mu = join(import.meta.dirname, '../../mu');
const folder = mkdtempSync(join(tmpdir(), 'mu-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function compile(source: string, ...args: string[]) {
  writeFileSync(join(folder, 'input.ts'), source);
  const command = [mu, 'compile', 'input.ts', ...args];
  return spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
}

const HELLO = `import 'arch/processEntry';
import { EXIT, syscall, WRITE } from 'arch/linux';

/** @symbol start */
function start(stack: Ptr<usize>): void {
  const text = 'hello';
  syscall(WRITE, 1, changetype<usize>(utf8(text)), text.length, 0, 0, 0);
  syscall(EXIT, stack[0] + 6, 0, 0, 0, 0, 0);
}
`;

test('--emit c writes C to stdout', () => {
  const { status, stdout } = compile(HELLO);
  expect(status).toBe(0);
  expect(stdout).toContain('string text = TEXT("hello");');
});

test('--emit elf makes a program of a module that has an entry', () => {
  const output = join(folder, 'hello');
  expect(compile(HELLO, '--emit', 'elf', '-o', output).status).toBe(0);
  const run = spawnSync(output, [], { encoding: 'utf8' });
  expect([run.status, run.stdout]).toEqual([7, 'hello']);
});

test('errors: file:line:col, code, message, hint; exit code 1', () => {
  const bad = 'export function f(): u8 {\n  return 300;\n}\n';
  const { status, stdout, stderr } = compile(bad);
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe(
    'input.ts:2:10 - error MU304: 300 does not fit u8\n' +
      '  its values are 0 … 255; cast if you mean its low bits\n',
  );
  const [found] = JSON.parse(compile(bad, '--json').stdout);
  expect(found).toMatchObject({ code: 'MU304', file: 'input.ts', line: 2, column: 10 });
});
