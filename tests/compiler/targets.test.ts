/**
 * Every case links on every target without a library: clang may call nothing that the program does
 * not bring.
 */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Architecture, compileToC } from '../../src/compiler/index.ts';
import { GUEST_FLAGS, runTool } from '../../src/toolchain/clang.ts';

const folder = join(import.meta.dirname, 'cases');
/** Cases in portable language only, and of one unit. */
const portable = readdirSync(folder).filter(
  (name) =>
    !/^(refused|assembly|linux|machine|checked|pointers|units|modules-folder|startup$|efi$)/.test(
      name,
    ),
);

test.each<[name: string, arch: Architecture, flags: string[]]>([
  ['x86-64-v3', 'x86_64', ['-march=x86-64-v3']],
  ['x86-64-v4', 'x86_64', ['-march=x86-64-v4']],
  ['aarch64', 'aarch64', []],
  ['riscv64', 'riscv64', ['-march=rv64gc', '-mabi=lp64d']],
])('%s', (_, arch, flags) => {
  const work = mkdtempSync(join(tmpdir(), 'mu-test-'));
  try {
    const outputs = portable.map((name) => {
      const modules = join(folder, name, 'modules.json');
      const { c, diagnostics } = compileToC({
        entry: join(folder, name, 'input.ts'),
        modules: existsSync(modules) ? JSON.parse(readFileSync(modules, 'utf8')) : {},
        target: { arch },
      });
      expect(diagnostics).toEqual([]);
      const source = join(work, `${name}.c`);
      const object = join(work, `${name}.o`);
      writeFileSync(source, c);
      runTool('clang', [
        `--target=${arch}-linux-gnu`,
        ...GUEST_FLAGS,
        ...flags,
        '-Werror',
        '-c',
        source,
        '-o',
        object,
      ]);
      return object;
    });
    // A static link complains of every symbol that is missing.
    for (const object of outputs) {
      runTool('lld', ['-static', '-nostdlib', '-e', '0', '-o', join(work, 'out'), object]);
    }
  } finally {
    rmSync(work, { recursive: true });
  }
});
