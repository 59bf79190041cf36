import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BUSYBOX_TOOLS, buildBusybox, onlyWishes } from '../../src/toolchain/busybox.ts';
import { cacheFolder, PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { forSources } from '../../src/toolchain/debianSource.ts';
import { findTool } from '../../src/toolchain/find.ts';

describe('a list of sources from a list of packages', () => {
  // sources.list(5), both of its formats
  test('deb822', () => {
    const text = [
      'Types: deb',
      'URIs: http://archive.example/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main',
      'Signed-By: /usr/share/keyrings/key.gpg',
      '',
      'Enabled: no',
      'types: deb deb-src',
      'URIs: http://archive.example/other',
      '',
    ].join('\n');
    expect(forSources({ name: 'a.sources', text }).text).toBe(
      text.replace('Types: deb', 'Types: deb-src').replace('types: deb deb-src', 'Types: deb-src'),
    );
  });

  test('one line each', () => {
    const text = [
      '# deb http://archive.example/debian trixie main',
      'deb [arch=amd64 signed-by=/k.gpg] http://archive.example/debian bookworm main contrib',
      'deb-src http://archive.example/debian bookworm main',
      '  deb\thttp://archive.example/debian bookworm main # a remark',
      'debug http://archive.example/debian bookworm main',
      'deb-src http://archive.example/debian bookworm main',
    ].join('\n');
    expect(forSources({ name: 'a.list', text }).text).toBe(
      [
        'deb-src [arch=amd64 signed-by=/k.gpg] http://archive.example/debian bookworm main contrib',
        'deb-src http://archive.example/debian bookworm main',
        'deb-src http://archive.example/debian bookworm main # a remark',
        '',
      ].join('\n'),
    );
  });
});

test('only what is wished for is on', () => {
  const config = [
    'CONFIG_A=y',
    '# CONFIG_B is not set',
    'CONFIG_C=y',
    'CONFIG_D=64',
    'CONFIG_E=""',
    '#',
    '# A remark',
    '',
  ].join('\n');
  const wish = (option: string, value: string) => ({ option, value, fragment: 'test' });
  expect(onlyWishes(config, [wish('B', 'y'), wish('C', 'y'), wish('D', '100')])).toBe(
    [
      '# CONFIG_A is not set',
      'CONFIG_B=y',
      'CONFIG_C=y',
      'CONFIG_D=100',
      'CONFIG_E=""',
      '#',
      '# A remark',
      '',
    ].join('\n'),
  );
});

const configuration = readFileSync(join(PROJECT_ROOT, 'guest/linux/busybox.config'), 'utf8');

test('every option has its reason', () => {
  const lines = configuration.split('\n').filter((line) => line.startsWith('CONFIG_'));
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => !/^CONFIG_\w+=\S+ # \S/.test(line))).toEqual([]);
});

const missing = BUSYBOX_TOOLS.filter((tool) => findTool(tool).command === null);

describe.skipIf(missing.length > 0)(
  `BusyBox${missing.length > 0 ? ` (needs ${missing.join(', ')})` : ''}`,
  () => {
    test('it is static, small, and holds our applets and no more', async () => {
      const { program, applets, lines } = await buildBusybox();
      const elf = readFileSync(program);
      expect(elf.length).toBeLessThan(300_000);
      const types = Array.from({ length: elf.readUInt16LE(56) }, (_, i) =>
        elf.readUInt32LE(Number(elf.readBigUInt64LE(32)) + i * elf.readUInt16LE(54)),
      );
      expect(types).toContain(1); // PT_LOAD
      expect(types).not.toContain(2); // PT_DYNAMIC
      expect(types).not.toContain(3); // PT_INTERP
      for (const applet of applets) {
        const option = applet === 'sh' ? 'SH_IS_ASH' : applet.toUpperCase();
        expect(configuration).toContain(`\nCONFIG_${option}=y `);
      }
      // Counted from what the compiler opened: more than the applets, far less than all of BusyBox
      // (215,844).
      const { total } = JSON.parse(readFileSync(lines, 'utf8'));
      expect(total.code).toBeGreaterThan(20_000);
      expect(total.code).toBeLessThan(60_000);
    }, 600_000);

    test('built again elsewhere it is the same to the byte', async () => {
      const { program } = await buildBusybox();
      const elsewhere = mkdtempSync(join(tmpdir(), 'mu-busybox-'));
      const { MU_CACHE } = process.env;
      try {
        cpSync(join(cacheFolder(), 'debian-source'), join(elsewhere, 'debian-source'), {
          recursive: true,
        });
        process.env.MU_CACHE = elsewhere;
        const again = await buildBusybox();
        expect(again.wasCached).toBe(false);
        expect(readFileSync(again.program).equals(readFileSync(program))).toBe(true);
      } finally {
        if (MU_CACHE === undefined) delete process.env.MU_CACHE;
        else process.env.MU_CACHE = MU_CACHE;
        rmSync(elsewhere, { recursive: true, force: true });
      }
    }, 600_000);
  },
);
