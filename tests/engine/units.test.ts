/**
 * Which CPU variant of a program computes, where; and programs that were compiled for a CPU that is
 * not there.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PreparedPack, preparePack } from '../../src/stacks/prepare.ts';
import type { GuestMachine } from '../../src/toolchain/clang.ts';
import { requireTool } from '../../src/toolchain/find.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { qemuArguments } from '../../src/toolchain/qemu.ts';
import { VARIANT_NAMES, type VariantName } from '../../src/toolchain/variants.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { hasQemu, NO_QEMU, noVariant } from './guests.ts';

let folder: string;
let pack: PreparedPack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mu-unit-'));
  const model = join(folder, 'tiny.gguf');
  // A type for each kernel that a lone token has
  const types = ['Q4_0', 'Q4_1', 'Q8_0', 'Q6_K'] as const;
  writeFileSync(model, makeTinyGguf({ dim: 256, hidden: 512, heads: 4, kvHeads: 2, types }));
  pack = await preparePack({ model });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function compile(
  machine: GuestMachine,
  cpu?: VariantName,
  name = 'variant',
): Promise<string> {
  const app = join(import.meta.dirname, `apps/${name}.ts`);
  return (await compileGuest({ machine, app, constants: pack.constants, cpu })).elf;
}

const runProcess = async (cpu?: VariantName) => {
  const { status, stdout } = spawnSync(await compile('process', cpu), [pack.path]);
  return { status, said: stdout.toString() };
};

async function runPc(cpu: VariantName | undefined, processor: string): Promise<string> {
  const [qemu, ...leading] = requireTool('qemu');
  const kernel = await compile('pc', cpu);
  const memoryBytes = pack.bytes + 64 * 2 ** 20;
  const args = qemuArguments({ machine: 'microvm', kernel, initrd: pack.path, memoryBytes });
  const options = { input: '', timeout: 60_000 };
  return spawnSync(qemu, [...leading, ...args, '-cpu', processor], options).stdout.toString();
}

const has = (cpu: VariantName) => noVariant(cpu) === '';

test('a process: the last variant that /proc/cpuinfo says the CPU can run', async () => {
  const expected = VARIANT_NAMES.filter(has).at(-1);
  expect(await runProcess()).toEqual({ status: 0, said: expected });
});

test.each(VARIANT_NAMES)('a process for %s alone: that, or one line', async (cpu) => {
  const { status, said } = await runProcess(cpu);
  if (has(cpu)) expect({ status, said }).toEqual({ status: 0, said: cpu });
  else {
    expect(status).toBe(1);
    expect(said).toMatch(/^\npanic: this CPU has no AVX\S+( VNNI)?; the program is .*\n$/);
  }
});

for (const cpu of VARIANT_NAMES) {
  const missing = noVariant(cpu);
  test.skipIf(missing)(`${cpu} gives the same bits with weights prefetched${missing}`, async () => {
    const { status, stdout } = spawnSync(await compile('process', cpu, 'prefetch'), [pack.path]);
    expect({ status, said: stdout.toString() }).toEqual({ status: 0, said: 'the same' });
  });
}

test.skipIf(!hasQemu)(`a PC: QEMU emulates no dot products${NO_QEMU}`, async () => {
  expect(await runPc(undefined, 'max')).toBe('portable');
});

test.skipIf(!hasQemu).each([
  ['avx512vnni', 'AVX-512 VNNI'],
  ['avxvnni', 'AVX-VNNI'],
] as const)(`a PC without what %s needs${NO_QEMU}`, async (cpu, name) => {
  expect(await runPc(cpu, 'max')).toBe(
    `\npanic: this CPU has no ${name}; the program is compiled for such a CPU only: without --cpu it runs on others too\n`,
  );
});
