import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { countMuslLines } from '../../src/lines/musl.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-musl-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The rules of musl's Makefile: a file below a folder with the CPU's name takes the place of the
 * one above; other CPUs and the other allocator stay out. On musl 1.2.3 they give the 1,341 files
 * that `make -n lib/libc.a` names, and crt/.
 */
test('musl is what its Makefile compiles for x86-64', () => {
  const files: Record<string, number> = {
    'src/string/memcpy.c': 10_000,
    'src/string/x86_64/memcpy.s': 7,
    'src/string/arm/memcpy.S': 10_000,
    'src/malloc/oldmalloc/malloc.c': 10_000,
    'src/malloc/mallocng/malloc.c': 20,
    'crt/crt1.c': 3,
    'ldso/dynlink.c': 10_000,
    'arch/arm/bits/alltypes.h': 10_000,
    'arch/generic/bits/errno.h': 30,
    'arch/x86_64/bits/signal.h': 40,
    'include/stdio.h': 50,
    'tools/install.c': 10_000,
  };
  for (let i = 0; i < 100; i++) files[`src/math/f${i}.c`] = 1;
  for (const [name, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), 'x;\n'.repeat(lines));
  }
  const code = 7 + 20 + 3 + 30 + 40 + 50 + 100;
  expect(countMuslLines(folder, 'x86_64')).toEqual({ files: 106, code, raw: code });
  expect(() => countMuslLines(join(folder, 'crt'), 'x86_64')).toThrow(
    /expected the source of musl/,
  );
});
