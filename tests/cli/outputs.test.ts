/**
 * Outputs that fail: full disks and lost readers. The exit code says whether the answer was whole.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-outputs-'));
afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(join(folder, 'tiny.gguf'), makeTinyGguf({ dim: 128 }));
const RUN = 'run tiny.gguf --cpu avx2 --raw -p the -n 4 --temp 0';

/** A line of bash in which "mu" is the real command. */
function bash(line: string) {
  const mu = `mu() { '${process.execPath}' '${join(PROJECT_ROOT, 'mu')}' "$@"; }`;
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${mu}\n${line}`], options);
  return { status, stdout, stderr };
}

const LOST = /^mu: standard output cannot be written, the answer is not whole: (E\w+): .*\n$/;

test.each([RUN, `${RUN} --json`, '--help'])(
  'no room for the answer: one line, and exit code 1: mu %s',
  (command) => {
    const { status, stderr } = bash(`mu ${command} >/dev/full`);
    expect(LOST.exec(stderr.split('\n').slice(-2).join('\n'))?.[1], stderr).toBe('ENOSPC');
    expect(status).toBe(1);
  },
);

test('a file that takes only a part of the answer', () => {
  const { status, stderr } = bash('ulimit -f 1; mu doctor --json >part');
  expect(readFileSync(join(folder, 'part')).length).toBe(1024);
  expect(LOST.exec(stderr)?.[1], stderr).toBe('EFBIG');
  expect(status).toBe(1);
});

test('a reader that stops early has what it wanted', () => {
  const { stdout, stderr } = bash(
    'mu doctor --json | head -c 1; echo " and exit code $' + '{PIPESTATUS[0]}"',
  );
  expect({ stdout, stderr }).toEqual({ stdout: '{ and exit code 0\n', stderr: '' });
});

test('standard error is full, or its reader is gone: the answer is whole, and so says the exit code', () => {
  const usual = bash(`mu ${RUN}`);
  expect(usual.status, usual.stderr).toBe(0);
  expect(usual.stderr).not.toBe('');
  const full = bash(`mu ${RUN} 2>/dev/full`);
  expect(full).toEqual({ ...usual, stderr: '' });
  const gone = bash(`{ mu ${RUN} 2>&1 >answer; echo $? >code; } | true`);
  expect(gone.status).toBe(0);
  expect(readFileSync(join(folder, 'answer'), 'utf8')).toBe(usual.stdout);
  expect(readFileSync(join(folder, 'code'), 'utf8')).toBe('0\n');
  expect(bash('mu fly 2>/dev/full').status).toBe(2);
  expect(bash('mu run nothing.gguf -p x 2>/dev/full').status).toBe(1);
});
