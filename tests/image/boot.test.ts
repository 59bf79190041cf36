/**
 * Images boot: both loaders, by BIOS and UEFI, from CD and from disk, with a screen and a keyboard.
 * The system in them is the `linux` stack's with the boot tests' probe in the engine's place, which
 * tells what it has been given.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { GuestParser } from '../../src/console/framing.ts';
import { writeCpio } from '../../src/image/cpio.ts';
import { linuxInitramfs, packInitramfs } from '../../src/image/initramfs.ts';
import { writeBootIso } from '../../src/image/iso.ts';
import type { BootImage } from '../../src/image/loader.ts';
import { BUSYBOX_TOOLS, buildBusybox } from '../../src/toolchain/busybox.ts';
import { type Child, killChild, startChild } from '../../src/toolchain/children.ts';
import { requireTool } from '../../src/toolchain/find.ts';
import { compileGuest, compileInit } from '../../src/toolchain/guest.ts';
import {
  buildKernel,
  KERNEL_TOOLS,
  type KernelName,
  kernelCommandLine,
} from '../../src/toolchain/kernel.ts';
import {
  type Firmware,
  firmwareArguments,
  type Medium,
  startFirmware,
} from '../../src/toolchain/qemu.ts';
import { connectQmp, type Qmp } from '../../src/toolchain/qmp.ts';
import { PACK, packPath } from '../boot/start.ts';
import { ONLY_ALL } from '../sample.ts';
import { LOADERS, lightPoints, missingTools, temporaryFolder } from './loaders.ts';

/** No boot takes longer, not even UEFI's on a busy machine. */
const LIMIT_MS = 60_000;
const folder = temporaryFolder();

/** A system's output so far, and what can be done with it. */
class Machine {
  readonly output: Buffer[] = [];
  readonly ended: Promise<number | null>;
  readonly child: Child;

  constructor(child: Child) {
    this.child = child;
    child.stdout.on('data', (chunk: Buffer) => this.output.push(chunk));
    child.stdin.on('error', () => {});
    const limit = setTimeout(() => killChild(child), LIMIT_MS);
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        clearTimeout(limit);
        resolve(code);
      });
    });
  }

  text(): string {
    return Buffer.concat(this.output).toString('latin1');
  }

  /** Resolves once the output holds the text; rejects if the machine ends first. */
  async waitFor(text: string): Promise<void> {
    while (!this.text().includes(text)) {
      const next = new Promise((resolve) => this.child.stdout.once('data', resolve));
      const ended = this.ended.then((code) => {
        throw new Error(`ended (${code}) before ${JSON.stringify(text)}:\n${this.text()}`);
      });
      await Promise.race([next, ended]);
    }
  }
}

let image: BootImage;

const missing = missingTools(...KERNEL_TOOLS, ...BUSYBOX_TOOLS, 'qemu');
const uefiMissing = missingTools('ovmf');

async function makeImage(kernelName: KernelName): Promise<BootImage> {
  const { elf: engine } = await compileGuest({
    ...{ machine: 'process', constants: {} },
    app: join(import.meta.dirname, '../boot/apps/probe.ts'),
  });
  const { elf: init } = await compileInit();
  const { program: busybox, applets } = await buildBusybox();
  const modules = ['system.cpio', 'pack.cpio'].map((name) => join(folder, name));
  await writeCpio(modules[0], linuxInitramfs({ init, engine, busybox, applets }));
  await writeCpio(modules[1], packInitramfs(packPath));
  const { bzImage: kernel } = await buildKernel(kernelName);
  return {
    protocol: 'linux',
    kernel,
    modules,
    commandLine: kernelCommandLine('linux'),
    title: 'Probe',
  };
}

/**
 * UEFI takes long under emulation: GRUB starts the same file from CD and disk there, one of them
 * does.
 */
const WAYS: readonly [Firmware, Medium, loaders: readonly string[]][] = [
  ['bios', 'cd', ['Limine', 'GRUB']],
  ['bios', 'disk', ['Limine', 'GRUB']],
  ['uefi', 'cd', ['Limine', 'GRUB']],
  ['uefi', 'disk', ['Limine']],
];

const why = missing.length > 0 ? ` (needs ${missing.join(', ')})` : '';
describe.skipIf(why !== '')(`an image boots${why}`, () => {
  beforeAll(async () => {
    image = await makeImage('linux');
  }, 900_000);

  for (const loader of LOADERS) {
    for (const [firmware, medium, loaders] of WAYS) {
      if (!loaders.includes(loader.name)) continue;
      const noFirmware = firmware === 'uefi' && uefiMissing.length > 0 ? ' (needs ovmf)' : '';
      const reason = loader.missing || noFirmware;
      test.skipIf(reason !== '')(`${loader.name}, ${firmware}, ${medium}${reason}`, async () => {
        const path = join(folder, `${loader.name}.iso`);
        writeBootIso(image, loader.make(), path);
        const qmp = join(folder, 'qmp');
        const options = { firmware, medium, path, memoryBytes: 256 << 20, screen: true, qmp };
        const machine = new Machine(startFirmware(options));
        const control = await connectQmp(qmp);
        await machine.waitFor('ready\n');
        machine.child.stdin.write('p');
        const first = PACK.readBigUInt64LE().toString(16);
        await machine.waitFor(`ready\npack ${PACK.length} bytes, first 0x${first}`);
        await useScreen(control);
        expect(await machine.ended, machine.text()).toBe(0);
        // Whatever firmware and loader write before, nothing of it is taken for a frame.
        const events = new GuestParser().push(Buffer.concat(machine.output));
        expect(events.map(({ type }) => type)).toEqual(['console']);
        if (firmware === 'bios') expect(machine.text()).toMatch(/^ready\n/);
      });
    }
  }

  const loader = LOADERS.find(({ missing }) => missing === '');
  const reason = loader ? ONLY_ALL : ' (needs a loader)'; // `linux-usb` is one more kernel to build
  test.skipIf(reason)(
    `a USB keyboard is all there is${reason}`,
    async () => {
      if (!loader) return;
      const path = join(folder, 'usb.iso');
      writeBootIso(await makeImage('linux-usb'), loader.make(), path);
      const qmp = join(folder, 'qmp-usb');
      const options = { firmware: 'bios', medium: 'cd', path, screen: true, qmp } as const;
      const [qemu, ...leading] = requireTool('qemu');
      const machine = new Machine(
        startChild(qemu, [
          ...[...leading, ...firmwareArguments({ ...options, memoryBytes: 256 << 20 })],
          ...['-M', 'i8042=off', '-device', 'qemu-xhci', '-device', 'usb-kbd'],
        ]),
      );
      const control = await connectQmp(qmp);
      await machine.waitFor('ready\n');
      await useScreen(control);
      expect(await machine.ended, machine.text()).toBe(0);
    },
    900_000,
  );
});

/**
 * Asks the probe on the screen, which holds two lines then, for more, until the keyboard is there;
 * goes to the shell and ends the machine there.
 */
async function useScreen(control: Qmp): Promise<void> {
  while ((await lightPoints(control, folder)) === 0) await sleep(100);
  await sleep(500); // both lines
  const before = await lightPoints(control, folder);
  while ((await lightPoints(control, folder)) < 2 * before) {
    await control.type('p');
    await sleep(100);
  }
  await control.press(['alt', 'f2']);
  await control.type('poweroff\n');
}
