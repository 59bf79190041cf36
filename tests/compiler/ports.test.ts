/**
 * What a processor that nobody has ported to would need: the compiler names every module of
 * guest/arch that a machine imports, once each, and nothing else, though it checks all the rest for
 * that processor.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { compileToC } from '../../src/compiler/index.ts';
import { followImports } from '../../src/lines/count.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { archModules, guestModules } from '../../src/toolchain/guest.ts';
import { BASE_VARIANT, variantConstants } from '../../src/toolchain/variants.ts';

const app = join(PROJECT_ROOT, 'tests/boot/apps/probe.ts');

/** Names of arch/… in the files of a machine outside of guest/arch, by TypeScript's own scanner. */
function archImports(machine: 'process' | 'uefi'): string[] {
  const { entry, modules } = guestModules(machine, app);
  const { machine: home, dots } = modules;
  const files = followImports(entry, { machine: home, app, dots });
  const names = files.flatMap((file) =>
    ts
      .preProcessFile(readFileSync(file, 'utf8'))
      .importedFiles.map(({ fileName }) => fileName)
      .filter((name) => name.startsWith('arch/')),
  );
  return [...new Set(names)].sort();
}

function missingOn(arch: 'aarch64' | 'riscv64', machine: 'process' | 'uefi') {
  const { entry, modules } = guestModules(machine, app);
  const constants = { model: {}, variants: variantConstants([BASE_VARIANT]) };
  return compileToC({
    entry,
    modules: { ...modules, ...constants, ...archModules(arch) },
    target: { arch },
  });
}

test.each(['process', 'uefi'] as const)(
  '%s on AArch64 and RISC-V lacks modules of guest/arch, and nothing else',
  (machine) => {
    const expected = archImports(machine);
    for (const arch of ['aarch64', 'riscv64'] as const) {
      const { c, diagnostics } = missingOn(arch, machine);
      expect(c).toBe('');
      const found = diagnostics.map(({ code, message }) => `${code} ${message}`).sort();
      const wanted = expected.map((name) => {
        const path = name.replace('arch/', `guest/arch/${arch}/`);
        return `MU006 the module "${name}" is missing: there is no ${path}.ts`;
      });
      expect(found).toEqual(wanted);
    }
  },
);

test('a process needs five files of a new processor', () => {
  const names = ['cpu', 'faults', 'features', 'linux', 'processEntry'];
  expect(archImports('process')).toEqual(names.map((name) => `arch/${name}`));
});

test('guest/arch/README.md has a row for each file of each processor', () => {
  const home = join(PROJECT_ROOT, 'guest/arch');
  const rows = [...readFileSync(join(home, 'README.md'), 'utf8').matchAll(/^\| `(\w+\.ts)` /gm)];
  const processors = readdirSync(home, { withFileTypes: true }).filter((e) => e.isDirectory());
  expect(processors.map(({ name }) => name)).toContain('x86_64');
  const files = processors.flatMap(({ name }) => readdirSync(join(home, name)));
  expect(rows.map(([, name]) => name).sort()).toEqual([...new Set(files)].sort());
});
