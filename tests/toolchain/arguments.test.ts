import { expect, test } from 'vitest';
import { compileArguments, linkArguments } from '../../src/toolchain/clang.ts';
import { qemuArguments } from '../../src/toolchain/qemu.ts';
import { BASE_VARIANT } from '../../src/toolchain/variants.ts';

test('qemu: a machine with nothing but a serial port', () => {
  const options = { kernel: 'k.elf', initrd: 'm.pack', memoryBytes: 100 * 2 ** 20 + 1 };
  expect(qemuArguments({ ...options, machine: 'microvm' }).join(' ')).toBe(
    '-M microvm,acpi=off -accel tcg -cpu max,-erms -m 101M -smp 1 -nodefaults -no-user-config -no-reboot ' +
      '-display none -chardev stdio,id=console,signal=off -serial chardev:console ' +
      '-device isa-debug-exit,iobase=0xf4,iosize=1 -kernel k.elf -initrd m.pack',
  );
  const q35 = qemuArguments({ ...options, machine: 'q35', processors: 2 });
  expect(q35.slice(0, 2)).toEqual(['-M', 'q35']);
  expect(q35.join(' ')).toContain('-smp 2');
});

test('clang: what docs/language.md promises about arithmetic stands in the flags', () => {
  const args = compileArguments('pc', BASE_VARIANT, 'in.c', 'out.o');
  for (const flag of ['-fwrapv', '-ffp-contract=off', '-fno-strict-aliasing', '-mno-red-zone']) {
    expect(args).toContain(flag);
  }
  expect(args.join(' ')).not.toMatch(/-ffast-math|-Ofast|-funsafe/);
  expect(compileArguments('process', BASE_VARIANT, 'in.c', 'out.o')).not.toContain('-mno-red-zone');
});

test('lld: the machine’s linker script is used', () => {
  expect(linkArguments('pc', ['in.o'], 'out.elf').join(' ')).toMatch(
    /-T \S*guest\/machine\/pc\/link.ld/,
  );
});
