/** The `linux` stack without a model, with BusyBox's shell on the serial port (the word `shell`): for looking at it from inside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CpioEntry, writeCpio } from '../../src/image/cpio.ts';
import { linuxInitramfs } from '../../src/image/initramfs.ts';
import { compileProbe } from '../../src/measure/probe.ts';
import { buildBusybox } from '../../src/toolchain/busybox.ts';
import { killChild, startChild } from '../../src/toolchain/children.ts';
import { requireTool } from '../../src/toolchain/find.ts';
import { compileInit } from '../../src/toolchain/guest.ts';
import { buildKernel, kernelCommandLine } from '../../src/toolchain/kernel.ts';
import { qemuArguments } from '../../src/toolchain/qemu.ts';

/** Of one command; a shell that does not answer is killed. */
const LIMIT_MS = 60_000;

export interface Shell {
  /** Types one line; what it prints, without the line itself. */
  run(line: string): Promise<{ code: number; output: string }>;
  kill(): Promise<void>;
}

/** files: what lies in the root besides the stack's own. devices: arguments of QEMU. The probe lies at /engine. */
export async function startShell(
  files: readonly CpioEntry[],
  devices: readonly string[] = [],
): Promise<Shell> {
  const { program: busybox, applets } = await buildBusybox();
  const { vmlinux } = await buildKernel('linux');
  const { elf: init } = await compileInit();
  const folder = mkdtempSync(join(tmpdir(), 'mu-shell-'));
  const initrd = join(folder, 'initrd');
  const programs = { init, engine: await compileProbe(), busybox, applets };
  await writeCpio(initrd, [...linuxInitramfs(programs), ...files]);
  const [qemu, ...leading] = requireTool('qemu');
  const child = startChild(qemu, [
    ...leading,
    ...qemuArguments({
      machine: 'q35',
      kernel: vmlinux,
      initrd,
      memoryBytes: 128 * 2 ** 20,
      commandLine: `${kernelCommandLine('linux')} -- shell`,
    }),
    ...devices,
  ]);
  let output = '';
  let wake = () => {};
  child.stdout.setEncoding('latin1').on('data', (text) => {
    output += text.replaceAll('\r', '');
    wake();
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let hasEnded = false;
  closed.then(() => {
    hasEnded = true;
    rmSync(folder, { recursive: true, force: true });
    wake();
  });
  const waitFor = async (what: RegExp): Promise<RegExpExecArray> => {
    const limit = setTimeout(() => killChild(child), LIMIT_MS);
    try {
      for (;;) {
        const found = what.exec(output);
        if (found) return found;
        if (hasEnded) throw new Error(`ended before ${what}:\n${output}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(limit);
    }
  };
  await waitFor(/# $/);
  return {
    async run(line) {
      output = '';
      child.stdin.write(`${line}; echo "<$?>"\n`);
      const found = await waitFor(/\n<(\d+)>\n[^\n]*# $/);
      const start = output.indexOf('\n') + 1; // after the echo of what was typed
      return { code: Number(found[1]), output: output.slice(start, found.index + 1) };
    },
    async kill() {
      killChild(child);
      await closed;
    },
  };
}
