import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Child, killChild } from '../../src/toolchain/children.ts';
import { findTool } from '../../src/toolchain/find.ts';
import { firmwareArguments, qemuArguments, startFirmware } from '../../src/toolchain/qemu.ts';
import { connectQmp, keysOf } from '../../src/toolchain/qmp.ts';
import { ODD_NAME } from '../oddName.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-qemu-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('PVH: Linux has a command line, and a kernel that holds its files has no initrd', () => {
  const options = { machine: 'microvm', kernel: 'k', memoryBytes: 1 << 20 } as const;
  const line = qemuArguments({ ...options, commandLine: 'quiet' }).join(' ');
  expect(line).toMatch(/ -kernel k -append quiet$/);
});

test('firmware: one medium, read-only; variables that are forgotten; a path as it is', () => {
  const path = `images/${ODD_NAME}`;
  const options = { medium: 'cd', path, memoryBytes: 1 << 28 } as const;
  const args = firmwareArguments({ ...options, firmware: 'bios' });
  const bios = args.join(' ');
  expect(mediumOf(args)).toMatchObject({
    'read-only': true,
    file: { driver: 'file', filename: path },
  });
  expect(bios).toContain(' -device ide-cd,drive=medium');
  expect(bios).not.toMatch(/pflash|VGA/);
  const uefi = firmwareArguments({ ...options, firmware: 'uefi', screen: true }).join(' ');
  expect(uefi).toMatch(/unit=0,readonly=on,.*unit=1,snapshot=on,.*-device VGA/);
  const folder = firmwareArguments({ ...options, firmware: 'uefi', medium: 'folder' });
  expect(mediumOf(folder)).toMatchObject({
    'read-only': true,
    file: { driver: 'vvfat', dir: path },
  });
  expect(folder.join(' ')).toContain(' -device virtio-blk-pci,drive=medium');
});

function mediumOf(args: readonly string[]): unknown {
  return JSON.parse(args[args.indexOf('-blockdev') + 1]);
}

test('keys of a US keyboard', () => {
  expect([...'aZ5%\n ?"'].map(keysOf)).toEqual([
    ['a'],
    ['shift', 'z'],
    ['5'],
    ['shift', '5'],
    ['ret'],
    ['spc'],
    ['shift', 'slash'],
    ['shift', 'apostrophe'],
  ]);
  expect(() => keysOf('é')).toThrow('no key of a US keyboard gives "é"');
});

const noQemu = findTool('qemu').command ? '' : ' (needs qemu)';

test.skipIf(noQemu !== '')(
  `the control socket: a screen, keys, errors, the end${noQemu}`,
  async () => {
    const path = join(folder, 'empty.img');
    writeFileSync(path, Buffer.alloc(1 << 20));
    const qmp = join(folder, 'qmp');
    const options = { firmware: 'bios', medium: 'disk', path, memoryBytes: 16 << 20 } as const;
    const child: Child = startFirmware({ ...options, screen: true, qmp });
    const limit = setTimeout(() => killChild(child), 30_000);
    try {
      const control = await connectQmp(qmp);
      expect(await control.execute('query-status')).toMatchObject({ running: true });
      await control.type('a');
      const picture = join(folder, 'screen.png');
      await control.screenshot(picture);
      const png = readFileSync(picture);
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect(png.readUInt32BE(16)).toBeGreaterThanOrEqual(640); // its width
      await expect(control.press(['no-such-key'])).rejects.toThrow(/^QEMU: .*no-such-key/);
      const closed = new Promise((resolve) => child.once('close', resolve));
      const answer = control.execute('quit').catch(() => {}); // it may end before it answers
      await closed;
      await answer;
      await expect(control.execute('query-status')).rejects.toThrow('QEMU has ended');
    } finally {
      clearTimeout(limit);
      killChild(child);
    }
  },
);

test('a control socket that nobody makes is an error, in time', async () => {
  await expect(connectQmp(join(folder, 'nobody'))).rejects.toThrow(
    /control socket .*nobody: .*ENOENT/,
  );
});
