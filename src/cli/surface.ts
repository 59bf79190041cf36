import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { isElf } from '../measure/kernelImage.ts';
import { askSurface, type RuntimeSurface } from '../measure/runtimeSurface.ts';
import { readSurface, type Surface } from '../measure/surface.ts';
import { ensureTools } from '../toolchain/install.ts';
import { buildKernel, KERNEL_NAMES, KERNEL_TOOLS, type KernelName } from '../toolchain/kernel.ts';
import { formatColumns } from './columns.ts';
import { createProgress, formatBytes, say } from './terminal.ts';

interface SurfaceOptions {
  symbols?: string;
  probe?: boolean;
  list?: boolean;
  json?: boolean;
}

/** A kernel, and what is known of it. */
interface Described {
  kernel: string;
  /** Read from the file; null: it is compressed. */
  file: Surface | null;
  /** With --probe. */
  run: RuntimeSurface | null;
}

export function configure(command: Command): void {
  command
    .argument('<kernels...>', `${KERNEL_NAMES.join(', ')}, or files: vmlinux, or bzImage (--probe)`)
    .option('--symbols <file>', 'System.map of a vmlinux that has been stripped')
    .option('--probe', 'boot each in QEMU too and ask it, system call by system call')
    .option('--list', 'the names, not only their number')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe figures come from the machine code of the kernel that was built, not from its configuration.' +
        '\nExample: mu surface diet linux /boot/vmlinuz-6.1.0-*-cloud-amd64 --probe',
    )
    .action(surface);
}

async function surface(kernels: string[], options: SurfaceOptions): Promise<void> {
  if (options.probe) ensureTools(['clang', 'lld', 'qemu'], say);
  const all: Described[] = [];
  for (const kernel of kernels) all.push(await describeKernel(kernel, options));
  process.stdout.write(
    options.json ? `${JSON.stringify(all, null, 2)}\n` : asText(all, options.list === true),
  );
}

async function describeKernel(kernel: string, options: SurfaceOptions): Promise<Described> {
  const { image, symbols } = await obtainKernel(kernel, options);
  const isReadable = isElf(image);
  if (!isReadable && !options.probe) {
    throw new Error(
      `${kernel}: expected vmlinux, an uncompressed kernel; of a bzImage, --probe can tell what it answers`,
    );
  }
  const file = isReadable ? readSurface(image, symbols) : null;
  if (!options.probe) return { kernel, file, run: null };
  say(`booting ${kernel} in QEMU and asking it`);
  const commandLine = 'console=ttyS0 reboot=t';
  return {
    kernel,
    file,
    run: await askSurface({ kernel: image, machine: 'microvm', commandLine }),
  };
}

async function obtainKernel(
  kernel: string,
  options: SurfaceOptions,
): Promise<{ image: string; symbols?: string }> {
  if ((KERNEL_NAMES as readonly string[]).includes(kernel)) {
    ensureTools(KERNEL_TOOLS, say);
    const progress = createProgress();
    const built = await buildKernel(kernel as KernelName, {
      onProgress: (done, total, what) => progress.update(done, total, what, String),
    });
    progress.end();
    return { image: built.vmlinux, symbols: built.systemMap };
  }
  if (!statSync(kernel, { throwIfNoEntry: false })?.isFile()) {
    throw new Error(`${kernel}: neither ${KERNEL_NAMES.join(' nor ')} nor a file`);
  }
  return { image: kernel, symbols: options.symbols };
}

/** A row: what, and for each kernel its names, a figure, or nothing known. */
type Cell = readonly unknown[] | string | number | null | undefined;

function asText(all: readonly Described[], withNames: boolean): string {
  const fromFile = (pick: (file: Surface) => Cell) => all.map(({ file }) => file && pick(file));
  const fromRun = (pick: (run: RuntimeSurface) => Cell) => all.map(({ run }) => run && pick(run));
  const rows: [what: string, cells: Cell[]][] = [
    ['system calls', fromFile((file) => file.systemCalls.map(({ name }) => name))],
    ['drivers', fromFile((file) => file.drivers)],
    ['file systems', fromFile((file) => file.fileSystems)],
    ['program formats', fromFile((file) => file.binaryFormats)],
    ['socket families', fromFile((file) => file.socketFamilies)],
    ['block devices', fromFile((file) => file.blockDevices)],
    ['functions run at start', fromFile((file) => file.initcalls)],
    ['functions', fromFile((file) => file.functions)],
    ['machine code', fromFile((file) => formatBytes(file.codeBytes))],
  ];
  const asked: [what: string, cells: Cell[]][] = [
    ['system calls that answer', fromRun((run) => run.systemCalls)],
    ['socket families that open', fromRun((run) => run.socketFamilies)],
    ['file systems', fromRun((run) => run.fileSystems ?? 'no /proc')],
    ['kinds of character device', fromRun((run) => run.characterDevices ?? 'no /proc')],
    ['kinds of block device', fromRun((run) => run.blockDevices ?? 'no /proc')],
    ['drivers on buses', fromRun((run) => run.drivers ?? 'no /sys')],
    ['names in /dev', fromRun((run) => run.devices ?? 'not filled')],
    ['/proc/net', fromRun((run) => (run.hasProcNet ? 'there' : 'absent'))],
    ['loads modules', fromRun((run) => (run.loadsModules ? 'yes' : 'no'))],
    ['functions it lists itself', fromRun((run) => run.functions ?? 'no list')],
  ];
  const table = [
    ['', ...all.map(({ kernel }) => basename(kernel))],
    ...section('read from the file', rows),
    ...(all.some(({ run }) => run) ? section('asked in QEMU', asked) : []),
  ].map((row) => [...row, ...Array(all.length + 1 - row.length).fill('')]);
  const text = [formatColumns(table)];
  if (withNames) {
    for (const [i, { kernel }] of all.entries()) {
      const named = [...rows, ...asked].filter(([, cells]) => Array.isArray(cells[i]));
      for (const [what, cells] of named) {
        text.push(`${kernel}, ${what}:\n  ${(cells[i] as unknown[]).join(', ') || 'none'}`);
      }
    }
  }
  return `${text.join('\n\n')}\n`;
}

function section(title: string, rows: readonly [string, Cell[]][]): string[][] {
  return [[title], ...rows.map(([what, cells]) => [`  ${what}`, ...cells.map(asCell)])];
}

function asCell(cell: Cell): string {
  if (cell === null || cell === undefined) return '?';
  if (typeof cell === 'string') return cell;
  return (typeof cell === 'number' ? cell : cell.length).toLocaleString('en');
}
