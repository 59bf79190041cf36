/** What an EFI application says where it cannot run, and that a person gets to read it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { findTool } from '../../src/toolchain/find.ts';
import { connectQmp } from '../../src/toolchain/qmp.ts';
import { exitCode, scratch, start } from './start.ts';

const missing = findTool('ovmf').command === null ? ' (needs ovmf)' : '';

describe.skipIf(missing !== '')(`uefi: a machine that will not do${missing}`, () => {
  test('with a screen: a failure stays there until a key is pressed', async () => {
    const qmp = join(scratch, 'qmp-uefi');
    const qemu = ['-device', 'VGA', '-qmp', `unix:${qmp},server=on,wait=off`];
    const guest = await start('uefi', { pack: null, qemu });
    await guest.waitFor('panic: no model pack');
    await sleep(1000);
    expect(guest.child.exitCode).toBe(null);
    const control = await connectQmp(qmp);
    await control.type('x');
    expect(await guest.end()).toMatchObject({ code: exitCode('uefi', 1) });
  });
});

describe.skipIf(missing !== '')(`uefi: a machine that will do${missing}`, () => {
  test('storage is zero, and all of it is there', async () => {
    const guest = await start('uefi', { app: 'large', memoryMib: 256 });
    expect(await guest.end()).toMatchObject({ code: 0, output: 'all zero, then all ones\n' });
  });

  test('more processors than it has stacks for', async () => {
    const guest = await start('uefi', { cores: 20 });
    await guest.waitFor('ready');
    expect((await guest.end('v\x04')).output).toBe('ready\nsum 48\n');
  });

  test('keys of a keyboard edit a line as a terminal’s do', async () => {
    const qmp = join(scratch, 'qmp-lines');
    const qemu = ['-device', 'VGA', '-qmp', `unix:${qmp},server=on,wait=off`];
    const guest = await start('uefi', { app: 'lines', qemu });
    await guest.waitFor('ready');
    const control = await connectQmp(qmp);
    const press = async (...keys: string[][]) => {
      for (const key of keys) await control.press(key);
    };
    await control.type('never');
    await press(['ctrl', 'c']);
    await control.type('nce');
    await press(['left'], ['left'], ['left'], ['right'], ['left']);
    await control.type('o');
    await press(['end'], ['spc'], ['backspace'], ['home']);
    await control.type('ab');
    await press(['ctrl', 'a'], ['delete'], ['delete'], ['ret']);
    await guest.waitFor('[once]\n');
    await control.type('more\n');
    await guest.waitFor('[more]\n');
    await press(['up'], ['up'], ['up'], ['down'], ['up']);
    await control.type('!\n');
    await guest.waitFor('[once!]\n');
    expect((await guest.end('\x04')).code).toBe(0);
  });

  test('without a serial port, with a keyboard: what is typed arrives', async () => {
    const qmp = join(scratch, 'qmp-keys');
    const qemu = ['-device', 'VGA', '-qmp', `unix:${qmp},server=on,wait=off`];
    const guest = await start('uefi', { qemu, serial: false });
    const control = await connectQmp(qmp);
    while (guest.child.exitCode === null && guest.child.signalCode === null) {
      await control.type('x').catch(() => {}); // it may switch off between two keys
      await sleep(500);
    }
    expect(guest.child.exitCode).toBe(exitCode('uefi', 7));
  });
});
