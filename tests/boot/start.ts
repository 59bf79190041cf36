import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Constants } from '../../src/compiler/index.ts';
import { writeCpio } from '../../src/image/cpio.ts';
import { dietInitramfs } from '../../src/image/initramfs.ts';
import { writeBootIso } from '../../src/image/iso.ts';
import { limineLoader } from '../../src/image/limine.ts';
import { FIRMWARE_MEMORY, qemuCommandLine } from '../../src/stacks/linuxMachine.ts';
import { targetNamed } from '../../src/toolchain/architectures.ts';
import { type Child, killChild, startChild } from '../../src/toolchain/children.ts';
import type { GuestMachine } from '../../src/toolchain/clang.ts';
import { findTool, requireTool } from '../../src/toolchain/find.ts';
import { type CompiledGuest, compileGuest } from '../../src/toolchain/guest.ts';
import { buildKernel, KERNEL_TOOLS } from '../../src/toolchain/kernel.ts';
import { firmwareArguments, qemuArguments } from '../../src/toolchain/qemu.ts';
import type { ToolName } from '../../src/toolchain/tools.ts';
import { limine, NO_LIMINE } from '../image/loaders.ts';

/**
 * Where a guest runs. The two QEMU machines run the same image; `diet` is a process again, the only
 * one of a small Linux on a q35; `uefi` is an EFI application that OVMF starts from a folder;
 * `limine` is the QEMU machines' ELF, started by Limine from a CD.
 */
export type Place = 'process' | 'microvm' | 'q35' | 'limine' | 'uefi' | 'diet';
const missing = (tools: readonly ToolName[]) =>
  tools.filter((tool) => findTool(tool).command === null);
/** What a place needs that others do not. */
const FURTHER: readonly [Place, missing: readonly string[]][] = [
  ['limine', [...missing(['mtools', 'xorriso']), ...(limine ? [] : [NO_LIMINE])]],
  ['uefi', missing(['ovmf'])],
  ['diet', missing(KERNEL_TOOLS)],
];
export const PLACES: readonly Place[] = [
  ...(['process', 'microvm', 'q35'] as const),
  ...FURTHER.filter(([, missing]) => missing.length === 0).map(([place]) => place),
];
/** Names the places that are left out of PLACES, and why; empty if none is. */
export const LEFT_OUT = FURTHER.filter(([, missing]) => missing.length > 0)
  .map(([place, missing]) => `${place} (needs ${missing.join(', ')})`)
  .join(', ');

/** Room for a line: of the app `lines`. */
export const MAX_PROMPT_BYTES = 40;
/**
 * What a guest's powerOff(code) ends its process with: a process itself, or QEMU. Linux hands on
 * none.
 */
export function exitCode(place: Place, code: number): number {
  if (place === 'process') return code;
  return place === 'diet' || code === 0 ? 0 : 2 * code + 1;
}

/** Milliseconds for prepare(). */
export const PREPARE_LIMIT = 600_000;

/** What takes longer than a test may: builds Linux once. */
export async function prepare(place: Place): Promise<void> {
  if (place === 'diet') await buildKernel('diet');
}

/** No boot takes longer, on a busy host either; a guest that still runs then is killed. */
const LIMIT_MS = 90_000;

/** The pack that guests get unless a test says otherwise: 10,000 bytes, nothing in them repeats. */
export const PACK = Buffer.from(
  Array.from({ length: 10_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff),
);

export interface StartOptions {
  /** One of apps/, or `chat`. Default: probe. */
  app?: string;
  /** Constants of the model that `chat` is compiled for. */
  model?: Constants;
  checked?: boolean;
  /** Path of the pack; null: hand over none. Default: a file that holds PACK. */
  pack?: string | null;
  /** Arguments of the process after the pack; ignored by the QEMU machines. */
  arguments?: readonly string[];
  /** Threads of the process, processors of a QEMU machine. Default 1. */
  cores?: number;
  /** Further arguments of QEMU, which override the usual ones; ignored by the process. */
  qemu?: readonly string[];
  memoryMib?: number;
  /** False: a PC without a serial port. Default true. */
  serial?: boolean;
}

export interface Guest {
  child: Child;
  /** What it wrote so far. */
  output(): string;
  errors(): string;
  send(text: string): void;
  /** Resolves once the output holds the text; rejects if the guest ends or time is up first. */
  waitFor(text: string): Promise<void>;
  /** Sends `text`, closes the input of a process, waits for the end. */
  end(text?: string): Promise<{ code: number | null; signal: string | null; output: string }>;
}

/** A folder that is gone when the tests end. */
export const scratch = mkdtempSync(join(tmpdir(), 'mu-boot-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** A file with these contents, gone when the tests end. */
export function writeScratch(name: string, contents: Uint8Array | string): string {
  const path = join(scratch, name);
  writeFileSync(path, contents);
  return path;
}

export const packPath = writeScratch('pack', PACK);

const MACHINES: Record<Place, GuestMachine> = {
  ...{ process: 'process', diet: 'process' },
  ...{ microvm: 'pc', q35: 'pc', limine: 'pc', uefi: 'uefi' },
};

export function compile(
  place: Place,
  app = 'probe',
  checked = false,
  constants: Constants = {},
): Promise<CompiledGuest> {
  const own = join(import.meta.dirname, 'apps', `${app}.ts`);
  return compileGuest({
    ...{ machine: MACHINES[place], checked },
    constants: { MAX_PROMPT_BYTES, ...constants },
    app: app === 'chat' ? app : own,
  });
}

export async function start(place: Place, options: StartOptions = {}): Promise<Guest> {
  const { elf, efi } = await compile(place, options.app, options.checked, options.model);
  const pack = options.pack === undefined ? packPath : options.pack;
  if (place === 'process') {
    const args = options.arguments ?? (options.cores ? [String(options.cores)] : []);
    return attach(startChild(elf, [...(pack ? [pack] : []), ...args]), true);
  }
  const processors = options.cores ?? 1;
  const memoryBytes = (options.memoryMib ?? 64) * 2 ** 20;
  const machine = { memoryBytes, processors };
  const args =
    place === 'diet'
      ? qemuArguments({ ...(await linuxWith(elf, pack ?? packPath)), ...machine })
      : place === 'uefi'
        ? uefiArguments(efi!, pack, machine)
        : place === 'limine'
          ? limineArguments(elf, pack, machine)
          : qemuArguments({ machine: place, kernel: elf, initrd: pack ?? undefined, ...machine });
  if (options.serial === false) {
    args.splice(args.indexOf('-serial'), 2);
    if (place === 'microvm') args.push('-M', 'microvm,acpi=off,isa-serial=off');
  }
  const [qemu, ...leading] = requireTool('qemu');
  const child = startChild(qemu, [...leading, ...args, ...(options.qemu ?? [])]);
  return attach(child, false, place === 'diet' || place === 'uefi' ? FOREIGN_LINE : undefined);
}

/** What Linux or firmware says ends with CR LF; a guest of ours writes no CR of its own accord. */
const FOREIGN_LINE = /[^\n]*\r\n/g;

/** A folder as the disk's EFI system partition. */
function uefiArguments(
  program: string,
  pack: string | null,
  { memoryBytes, processors }: { memoryBytes: number; processors: number },
): string[] {
  const path = mkdtempSync(join(scratch, 'esp-'));
  mkdirSync(join(path, dirname(targetNamed('x86_64').uefi.application)), { recursive: true });
  copyFileSync(program, join(path, targetNamed('x86_64').uefi.application));
  if (pack !== null) copyFileSync(pack, join(path, 'model.pack'));
  return firmwareArguments({
    ...{ firmware: 'uefi', medium: 'folder', path, processors },
    memoryBytes: memoryBytes + FIRMWARE_MEMORY,
  });
}

/** An ISO of its own. */
function limineArguments(
  kernel: string,
  pack: string | null,
  { memoryBytes, processors }: { memoryBytes: number; processors: number },
): string[] {
  const path = join(mkdtempSync(join(scratch, 'iso-')), 'boot.iso');
  const modules = pack === null ? [] : [pack];
  writeBootIso({ protocol: 'limine', kernel, modules, title: 'test' }, limineLoader(limine!), path);
  return firmwareArguments({
    ...{ firmware: 'bios', medium: 'cd', path, processors },
    memoryBytes: memoryBytes + FIRMWARE_MEMORY,
  });
}

async function linuxWith(program: string, pack: string) {
  const initrd = writeScratch('initramfs', '');
  await writeCpio(initrd, dietInitramfs(program, pack));
  const { vmlinux } = await buildKernel('diet');
  const commandLine = qemuCommandLine('diet', 'q35');
  return { machine: 'q35' as const, kernel: vmlinux, initrd, commandLine };
}

/**
 * closesInput: end() closes the guest's input. QEMU 7.2 must keep its own: once that is closed it
 * drops output that is not read at once, since its retries of a full pipe are triggered by the
 * hang-up of the input. without: what is no output of the guest's.
 */
function attach(child: Child, closesInput: boolean, without?: RegExp): Guest {
  let output = '';
  let errors = '';
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('latin1').on('data', (text) => {
    output += text;
    if (without) output = output.replace(without, '');
    changed();
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  child.stdin.on('error', () => {}); // it may have ended before it read everything
  let ended: { code: number | null; signal: string | null } | null = null;
  child.on('close', (code, signal) => {
    ended = { code, signal };
    clearTimeout(limit);
    changed();
  });
  const limit = setTimeout(() => killChild(child), LIMIT_MS);

  /** Resolves with the first answer that is not undefined, asked for after each change. */
  function until<T>(ask: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const listener = () => {
        try {
          const answer = ask();
          if (answer === undefined) return;
          resolve(answer);
        } catch (error) {
          reject(error);
        }
        listeners.delete(listener);
      };
      listeners.add(listener);
      listener();
    });
  }

  return {
    child,
    output: () => output,
    errors: () => errors,
    send: (text) => child.stdin.write(text, 'latin1'),
    waitFor: (text) =>
      until(() => {
        if (output.includes(text)) return null;
        if (!ended) return undefined;
        throw new Error(`ended (${JSON.stringify(ended)}) before "${text}":\n${output}\n${errors}`);
      }).then(() => {}),
    end: async (text = '') => {
      child.stdin.write(text, 'latin1');
      if (closesInput) child.stdin.end();
      return until(() => (ended ? { ...ended, output } : undefined));
    },
  };
}
