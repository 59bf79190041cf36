/** Exit codes and messages of commands that cannot do what they are asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mu } from './mu.ts';

test('help lists the commands and is no error', async () => {
  const { code, stdout } = await mu(['--help']);
  expect(code).toBe(0);
  for (const command of ['demo', 'chat', 'run', 'build', 'boot', 'pull', 'inspect', 'doctor']) {
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test.each([
  { args: [], message: /Usage: mu/ },
  { args: ['fly'], message: /unknown command 'fly'/ },
  { args: ['run', '-p', 'x'], message: /missing required argument 'model'/ },
  { args: ['run', 'm.gguf'], message: /--prompt <text>' not specified/ },
  { args: ['run', 'm', '-p', 'x', '--temp', 'hot'], message: /Expected a number from 0/ },
  { args: ['run', 'm', '-p', 'x', '--top-p', '1.5'], message: /Expected a number from 0 to 1/ },
  { args: ['run', 'm', '-p', 'x', '-t', '0'], message: /Expected a whole number from 1/ },
  { args: ['run', 'm', '-p', 'x', '-t', '65'], message: /Expected a whole number from 1 to 64\./ },
  { args: ['chat', 'm', '-t', '65'], message: /Expected a whole number from 1 to 64\./ },
  { args: ['boot', 'x', '-t', '65'], message: /Expected a whole number from 1 to 64\./ },
  { args: ['bench', 'm', '-t', '1,65'], message: /Expected whole numbers from 1 to 64, with/ },
  { args: ['inspect', 'm', '-c', '64k'], message: /Expected a whole number from 0\./ },
  { args: ['run', 'm', '-p', 'x', '-c', '64k'], message: /Expected a whole number from 0\./ },
  { args: ['perplexity', 'm', '-c', '8'], message: /Expected a whole number from 16\./ },
  { args: ['run', 'm', '-p', 'x', '--repeat-penalty', '0'], message: /Expected a number above 0/ },
  { args: ['run', 'm', '-p', 'x', '--repeat-last-n', '-2'], message: /whole number from -1\./ },
  { args: ['run', 'm', '-p', 'x', '--seed', '1e99'], message: /below 2\^64/ },
  {
    args: ['build', 'm', '--stack', 'moon', '-o', 'x'],
    message: /Allowed choices are .*unikernel/,
  },
  {
    args: ['run', 'm', '-p', 'x', '--cpu', 'z80'],
    message: /Allowed choices are portable, avx2, avxvnni, avx512vnni/,
  },
  { args: ['boot', 'x', '-M', 'pdp11'], message: /Allowed choices are microvm, q35/ },
])('wrong usage is exit code 2: mu $args', async ({ args, message }) => {
  const { code, stdout, stderr } = await mu(args);
  expect(stderr).toMatch(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test.each([
  [
    'unikernel',
    '--format img',
    'the stack unikernel is built as elf, firecracker, iso; found --format img',
  ],
  ['metal', '--format elf', 'the stack metal is built as efi, img, iso; found --format elf'],
  ['linux', '--format iso', 'the stack linux has no formats to choose from: leave --format away'],
  ['unikernel', '--embed', '--embed is for the stack metal'],
  ['metal', '--limine x', '--limine is for the stack linux, and for --format iso'],
])('what a stack has not: %s %s', async (stack, option, message) => {
  const args = ['build', 'm', '--stack', stack, ...option.split(' '), '-o', 'x'];
  expect(await mu(args)).toEqual({ code: 1, stdout: '', stderr: `mu: ${message}\n` });
});

test.each([['--temp', '0'], ['--seed', '7'], ['--raw']])(
  'options that nothing would come of are refused: mu boot --shell %s',
  async (...option) => {
    const { code, stderr } = await mu(['boot', 'x', '--shell', ...option]);
    expect(stderr).toBe(`mu: ${option[0]} needs a prompt (-p), or lines from a pipe\n`);
    expect(code).toBe(1);
  },
);

test('a folder that is no image is one clear line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mu-no-image-'));
  const { code, stderr } = await mu(['boot', folder, '-p', 'x']);
  rmSync(folder, { recursive: true });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^mu: \S+ is not a built image: .*mu build MODEL --stack STACK -o .*\n$/);
});

test('doctor lists every tool with what installs it', async () => {
  const { code, stdout } = await mu(['doctor', '--json']);
  const { tools } = JSON.parse(stdout);
  expect(code).toBe(0);
  const names = tools.map((tool: { name: string }) => tool.name);
  expect(names).toEqual(expect.arrayContaining(['node', 'clang', 'lld', 'qemu', 'pip']));
  for (const tool of tools) {
    expect(tool.install, tool.name).not.toBe('');
    expect(tool.neededBy, tool.name).not.toBe('');
  }
});
