import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/**
 * Each test sees a PATH of its own with stand-ins for the tools, and the module anew, since it
 * remembers what it has found.
 */
let folder: string;
const path = process.env.PATH;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-tools-'));
  process.env.PATH = folder;
  vi.resetModules();
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

function program(name: string, says: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(file, 0o755);
}

test('clang 19 is taken before an older one', async () => {
  program('clang-16', 'Debian clang version 16.0.6 (15~deb12u1)');
  program('clang-19', 'Debian clang version 19.1.7 (3~deb12u1)');
  const { findTool } = await import('../../src/toolchain/find.ts');
  expect(findTool('clang')).toMatchObject({ command: ['clang-19'], version: '19.1.7', note: null });
});

test('clang 16 works, and is said to be older', async () => {
  program('clang-16', 'Debian clang version 16.0.6 (15~deb12u1)');
  const { findTool } = await import('../../src/toolchain/find.ts');
  const found = findTool('clang');
  expect(found.command).toEqual(['clang-16']);
  expect(found.note).toMatch(/16\.0\.6: it works, but 19 makes faster code/);
});

test('clang 14 is refused, with the reason and the command that installs a newer one', async () => {
  program('clang', 'Debian clang version 14.0.6');
  const { requireTool } = await import('../../src/toolchain/find.ts');
  expect(() => requireTool('clang')).toThrow(
    /clang is 14\.0\.6; 16\.0 or newer is needed.*apt-get install .*clang-19/,
  );
});

test('without root or apt, what is missing is said with one command', async () => {
  const { ensureTools } = await import('../../src/toolchain/install.ts');
  const said: string[] = [];
  expect(() => ensureTools(['clang', 'lld', 'wasm-ld'], (line) => said.push(line))).toThrow(
    /missing: clang, lld, wasm-ld\. .*apt-get install -y --no-install-recommends clang-19 lld-19$/,
  );
  expect(said).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  'as root (else skipped), apt installs what is missing, once',
  async () => {
    const apt = join(folder, 'apt-get');
    // A stand-in for apt-get: `install` brings the programs.
    writeFileSync(
      apt,
      `#!/bin/sh
echo "$@ $DEBIAN_FRONTEND" >> ${folder}/log
case "$*" in *install*)
  printf '#!/bin/sh\\necho "clang version 19.1.7"\\n' > ${folder}/clang-19
  /bin/chmod +x ${folder}/clang-19
esac
`,
    );
    chmodSync(apt, 0o755);
    const { ensureTools } = await import('../../src/toolchain/install.ts');
    const said: string[] = [];
    ensureTools(['clang'], (line) => said.push(line));
    ensureTools(['clang'], (line) => said.push(line));
    expect(said).toEqual(['missing: clang; installing clang-19 with apt']);
  },
);

test('the real tools of this machine are found', async () => {
  process.env.PATH = path;
  const { findTool } = await import('../../src/toolchain/find.ts');
  for (const name of ['node', 'npm', 'clang', 'lld', 'qemu', 'pip'] as const) {
    expect(findTool(name).command, name).not.toBe(null);
  }
});
