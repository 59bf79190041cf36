/**
 * The attack surface of the Linux stacks: what is read from a kernel's file is what it answers when
 * it runs; and what must not work does not, on a machine that has disk, network card and memory to
 * offer. Debian's kernel, where it is installed, gets the same requests on the same machine: there
 * they work.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileProbe, parseAnswers, probeHost, probeMachine } from '../../src/measure/probe.ts';
import { askSurface, type RuntimeSurface } from '../../src/measure/runtimeSurface.ts';
import { readSurface } from '../../src/measure/surface.ts';
import { buildKernel, KERNEL_NAMES } from '../../src/toolchain/kernel.ts';
import { ONLY_ALL } from '../sample.ts';
import {
  calls,
  mounts,
  nodes,
  nullNode,
  privileges,
  sockets,
  writeInTmp,
  writes,
} from './attempts.ts';
import { BUILD_TIMEOUT, canBoot, NEEDS, prepareLinux, type Shell, withShell } from './machine.ts';

const COMMAND_LINE = 'console=ttyS0 reboot=t';
const DEV = '165,dev,/dev,devtmpfs,0,0';
const SYS = '165,sys,/sys,sysfs,0,0';
const PCI_DEVICES = 'list /sys/bus/pci/devices';

let folder: string;
let devices: string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-surface-'));
  const disk = join(folder, 'disk');
  writeFileSync(disk, Buffer.alloc(4 << 20));
  // if it is not there: no file system on it
  spawnSync('mkfs.ext4', ['-q', '-F', disk], { stdio: 'ignore' });
  devices = [
    ...['-drive', `if=none,id=disk,format=raw,readonly=on,file=${disk}`],
    ...['-device', 'nvme,drive=disk,serial=1'],
    ...['-netdev', 'user,id=net,restrict=on', '-device', 'e1000,netdev=net'],
  ];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `linux-usb` is `linux` and a few files: a sample does without its build. */
const kernels = KERNEL_NAMES.map((name) => {
  const leftOut = name === 'linux-usb' ? ONLY_ALL : '';
  return { name, isRun: canBoot && leftOut === '', title: `kernel ${name}${NEEDS || leftOut}` };
});

describe.each(kernels.filter(({ isRun }) => !isRun))('$title', () => {
  test.skip('what of it can be reached');
});

describe.each(kernels.filter(({ isRun }) => isRun))('$title', ({ name }) => {
  let image: string;
  let systemMap: string;
  let answered: RuntimeSurface;

  beforeAll(async () => {
    ({ vmlinux: image, systemMap } = await buildKernel(name));
    answered = await askSurface({ kernel: image, machine: 'microvm', commandLine: COMMAND_LINE });
  }, BUILD_TIMEOUT);

  test('the system calls that its file shows are those that answer', () => {
    const { systemCalls, systemCallNumbers } = readSurface(image, systemMap);
    expect(systemCallNumbers).toBe(451); // Linux 6.1: __NR_set_mempolicy_home_node + 1
    expect(systemCalls.map(({ number }) => number)).toEqual(answered.systemCalls);
    expect(systemCalls.find(({ number }) => number === 1)?.name).toBe('write');
  });

  test('so are its file systems', () => {
    if (answered.fileSystems === null) return; // no /proc that lists them: nothing to compare with
    const { fileSystems } = readSurface(image, systemMap);
    expect([...fileSystems].sort()).toEqual([...answered.fileSystems].sort());
  });

  test('no sockets, no disks, no modules', () => {
    expect(readSurface(image, systemMap)).toMatchObject({ socketFamilies: [], blockDevices: [] });
    expect(answered).toMatchObject({
      socketFamilies: [],
      hasProcNet: false,
      loadsModules: false,
    });
    expect(answered.blockDevices ?? []).toEqual([]);
  });

  test('what must not work does not', async () => {
    const attempts = [...nodes.map(({ open }) => open), ...mounts, ...calls];
    const requests = [
      ...nodes.flatMap(({ make, open }) => [make, open.request]),
      ...[...nullNode, DEV, ...mounts.map((m) => m.request), ...calls.map((c) => c.request)],
    ];
    const machine = { kernel: image, machine: 'q35', commandLine: COMMAND_LINE, devices } as const;
    const answers = await probeMachine(machine, requests);
    const answer = (request: string) => Number(answers.get(request));
    expect(answersTo(attempts, answer)).toEqual(expected(attempts));
    // A node of a device that is there can be made and opened: the others fail for want of a
    // device.
    expect(nodes.map(({ make }) => answer(make))).toEqual(nodes.map(() => 0));
    expect(answer(nullNode[1])).toBeGreaterThanOrEqual(0);
  });
});

test.skipIf(!canBoot)(
  `kernel linux: what lies in /dev${NEEDS}`,
  async () => {
    const { vmlinux } = await buildKernel('linux');
    const surface = await askSurface({
      ...{ kernel: vmlinux, machine: 'microvm', commandLine: COMMAND_LINE },
    });
    expect(surface.fileSystems?.sort()).toEqual(
      'devtmpfs pipefs proc ramfs sysfs tmpfs'.split(' '), // no disk's among them
    );
    const terminals = [
      ...Array.from({ length: 64 }, (_, i) => `tty${i}`),
      ...[0, 1, 2, 3].map((i) => `ttyS${i}`),
    ];
    const others = 'console full kmsg null random tty urandom vcs vcs1 vcsa vcsa1 vcsu vcsu1 zero';
    expect(surface.devices).toEqual([...terminals, ...others.split(' ')].sort());
  },
  60_000,
);

describe.skipIf(!canBoot)(`stack linux, from BusyBox’s shell${NEEDS}`, () => {
  let start: Awaited<ReturnType<typeof prepareLinux>>;
  const attempts = [...sockets, ...writes, ...privileges];
  const requests = [...attempts.map(({ request }) => request), writeInTmp];
  const inShell = <T>(use: (shell: Shell) => Promise<T>) =>
    withShell(start({ machine: 'q35', words: ['shell'], devices }), async (shell) => {
      await shell.waitFor('# ');
      return use(shell);
    });

  beforeAll(async () => {
    const pack = join(folder, 'requests');
    writeFileSync(pack, `${requests.join('\n')}\n`);
    start = await prepareLinux({ engine: await compileProbe(), pack });
  }, BUILD_TIMEOUT);

  test('sockets of any family, writes outside of /tmp and what needs privileges fail', async () => {
    const { code, output } = await inShell((shell) => shell.run('/engine /model.pack'));
    expect(code).toBe(0);
    const answers = parseAnswers(output, requests);
    const answer = (request: string) => Number(answers.get(request));
    expect(answersTo(attempts, answer)).toEqual(expected(attempts));
    expect(answer(writeInTmp)).toBeGreaterThanOrEqual(0);
  });

  test('what the shell itself can try fails', async () => {
    await inShell(async (shell) => {
      for (const line of [
        'mount -t ext4 /dev/nvme0n1 /tmp',
        'cat /dev/nvme0n1',
        'echo x > /written',
        'echo x > /bin/written',
        'echo x > /engine',
        'cat /proc/net/dev',
        'ls /proc/net',
        'ls /sys/class/net',
        'ls /sys/block',
        'cat /proc/modules',
      ]) {
        expect(await shell.run(line), line).not.toMatchObject({ code: 0 });
      }
      const echo = await shell.run('echo works > /tmp/x && cat /tmp/x');
      expect(echo).toEqual({ code: 0, output: 'works\n' });
    });
  });

  test('nothing but /tmp is mounted writable, and no program starts from there', async () => {
    const { output } = await inShell((shell) => shell.run('cat /proc/mounts'));
    const mounted = output
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const writable = mounted.filter(([, , , options]) => options.split(',').includes('rw'));
    expect(mounted.length).toBeGreaterThanOrEqual(5);
    expect(writable.map(([, place]) => place)).toEqual(['/tmp']);
    expect(writable[0][3]).toContain('noexec');
  });

  test('disk and network card are there, and nothing drives them', async () => {
    await inShell(async (shell) => {
      const classes = await shell.run('cat /sys/bus/pci/devices/*/class');
      expect(classes.output).toContain('0x010802'); // NVMe: PCI Code and ID Assignment 1.16, 1.1
      expect(classes.output).toContain('0x020000'); // Ethernet
      const driven = await shell.run('ls -d /sys/bus/pci/devices/*/driver');
      expect(driven).not.toMatchObject({ code: 0 });
    });
  });
});

describe('the requests work where things exist', () => {
  const cloud = readdirSync('/boot').find((name) => /^vmlinuz-.*-cloud-amd64$/.test(name));

  test('sockets, a watch and a file on this host', async () => {
    const path = join(folder, 'written');
    const requests = ['41,1,1,0', '41,2,1,0', '291,0', `257,-100,${path},65,384`];
    const answers = await probeHost(requests);
    for (const request of requests) {
      expect(Number(answers.get(request)), request).toBeGreaterThanOrEqual(0);
    }
  });

  test.skipIf(!cloud)(`everything on Debian’s kernel ${cloud ?? '(is not in /boot)'}`, async () => {
    const ext4 = mounts.find(({ what }) => what === 'mount of ext4')?.request ?? '';
    const disk = nodes.find(({ open }) => open.what === 'open of NVMe disk');
    const requests = [
      ...[DEV, SYS, PCI_DEVICES, disk?.make ?? '', disk?.open.request ?? '', ext4],
      ...[...sockets, ...calls].map(({ request }) => request),
    ];
    const kernel = `/boot/${cloud}`;
    const machine = { kernel, machine: 'q35', commandLine: COMMAND_LINE, devices } as const;
    const answers = await probeMachine(machine, requests);
    const answer = (request: string) => Number(answers.get(request));
    expect(answer(disk?.open.request ?? '')).toBeGreaterThanOrEqual(0);
    if (spawnSync('mkfs.ext4', ['-V']).status === 0) expect(answer(ext4)).toBe(0);
    expect(calls.filter(({ request, error }) => answer(request) === error)).toEqual([]);
    expect(sockets.some(({ request }) => answer(request) >= 0)).toBe(true);
  });
});

interface Answer {
  what: string;
  error: number;
}

function answersTo(
  attempts: readonly { what: string; request: string }[],
  answer: (request: string) => number,
): Answer[] {
  return attempts.map(({ what, request }) => ({ what, error: answer(request) }));
}

function expected(attempts: readonly Answer[]): Answer[] {
  return attempts.map(({ what, error }) => ({ what, error }));
}
