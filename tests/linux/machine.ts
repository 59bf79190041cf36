/** Boots the `linux` stack's kernel and file system with an engine of choice, by PVH. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectGuest, type Guest } from '../../src/console/guest.ts';
import { serialTransport } from '../../src/console/transport.ts';
import { writeCpio } from '../../src/image/cpio.ts';
import { linuxInitramfs, packInitramfs } from '../../src/image/initramfs.ts';
import { qemuCommandLine } from '../../src/stacks/linuxMachine.ts';
import { BUSYBOX_TOOLS, buildBusybox } from '../../src/toolchain/busybox.ts';
import { type Child, killChild, startChild } from '../../src/toolchain/children.ts';
import { findTool, requireTool } from '../../src/toolchain/find.ts';
import { compileInit } from '../../src/toolchain/guest.ts';
import { buildKernel, KERNEL_TOOLS } from '../../src/toolchain/kernel.ts';
import { type QemuMachine, qemuArguments } from '../../src/toolchain/qemu.ts';

const missing = [...KERNEL_TOOLS, ...BUSYBOX_TOOLS, 'qemu' as const].filter(
  (tool) => findTool(tool).command === null,
);
export const canBoot = missing.length === 0;
/** Stands in the name of what is skipped. */
export const NEEDS = canBoot ? '' : ` (needs ${missing.join(', ')})`;
/** Milliseconds: the first test may have to build kernel and BusyBox. */
export const BUILD_TIMEOUT = 600_000;

const folder = mkdtempSync(join(tmpdir(), 'mu-linux-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let archives = 0;

export interface LinuxFiles {
  engine: string;
  pack: string;
  checkedInit?: boolean;
}

export interface LinuxStart {
  machine?: QemuMachine;
  /** For init. */
  words?: readonly string[];
  processors?: number;
  /** Further arguments of QEMU: disks, network cards. */
  devices?: readonly string[];
}

/** Writes the file system; the result starts machines with it. */
export async function prepareLinux({ engine, pack, checkedInit }: LinuxFiles) {
  const { elf: init } = await compileInit({ checked: checkedInit });
  const { program: busybox, applets } = await buildBusybox();
  const kernel = await buildKernel('linux');
  const initrd = join(folder, `${archives++}.cpio`);
  const programs = linuxInitramfs({ init, engine, busybox, applets });
  await writeCpio(initrd, [...programs, ...packInitramfs(pack)]);
  return (options: LinuxStart = {}): Child => {
    const { machine = 'microvm', words = [], processors, devices = [] } = options;
    const [qemu, ...leading] = requireTool('qemu');
    const args = qemuArguments({
      machine,
      kernel: kernel.vmlinux,
      initrd,
      commandLine: qemuCommandLine('linux', machine, words),
      memoryBytes: 128 * 2 ** 20,
      processors,
    });
    return startChild(qemu, [...leading, ...args, ...devices]);
  };
}

/** Connects to an engine on the serial port, and ends the machine whatever happens. */
export async function withEngine<T>(child: Child, use: (guest: Guest) => Promise<T>): Promise<T> {
  const guest = connectGuest(serialTransport(child));
  try {
    return await use(guest);
  } finally {
    killChild(child);
  }
}

/** A shell on the serial port. */
export interface Shell {
  /** Runs a command; what it wrote, and its exit code. */
  run(command: string): Promise<{ output: string; code: number }>;
  /** Types text. */
  send(text: string): void;
  /** Waits until the text is there; what came before it since the last wait, CR LF as LF. */
  waitFor(text: string): Promise<string>;
  /** Waits for the end of the machine. */
  ended(): Promise<number | null>;
}

/** No answer takes longer; then the machine is killed and the wait fails with all that it wrote. */
const LIMIT = 30_000;

export async function withShell<T>(child: Child, use: (shell: Shell) => Promise<T>): Promise<T> {
  let unread = '';
  let wake = () => {};
  let code: number | null | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    unread += text;
    wake();
  });
  child.stdin.on('error', () => {});
  child.once('close', (exitCode) => {
    code = exitCode;
    wake();
  });
  const timer = setTimeout(() => killChild(child), LIMIT);
  const change = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const shell: Shell = {
    send: (text) => child.stdin.write(text),
    waitFor: async (text) => {
      while (!unread.replaceAll('\r', '').includes(text)) {
        if (code !== undefined) throw new Error(`ended before "${text}":\n${unread}`);
        await change();
      }
      const [before] = unread.replaceAll('\r', '').split(text, 1);
      unread = unread.replaceAll('\r', '').slice(before.length + text.length);
      return before;
    },
    run: async (command) => {
      // The marks are put together by the shell, so that its echo of the command does not hold
      // them.
      shell.send(`echo "<"'<'; ${command}; echo "[$?"']'\n`);
      await shell.waitFor('\n<<\n');
      const output = await shell.waitFor('[');
      return { output, code: Number(await shell.waitFor(']\n')) };
    },
    ended: async () => {
      while (code === undefined) await change();
      return code;
    },
  };
  try {
    return await use(shell);
  } finally {
    clearTimeout(timer);
    killChild(child);
  }
}
