/**
 * What of a kernel can be reached, read from the kernel that was built and not from its
 * configuration: the table of system calls, and what its code hands to the functions that register
 * drivers and file systems.
 */
import { type CallSite, KernelImage } from './kernelImage.ts';

export interface Surface {
  /** What a process can call, by number; numbers that answer "not implemented" are left out. */
  systemCalls: { number: number; name: string }[];
  /** Length of the table that these stand in. */
  systemCallNumbers: number;
  /** Structures handed to a function that registers drivers. */
  drivers: string[];
  /** As mount(2) knows them. */
  fileSystems: string[];
  /** What execve(2) can start. */
  binaryFormats: string[];
  /** Functions that a socket(2) family is registered with; empty: no network. */
  socketFamilies: string[];
  /** Structures handed to a function that registers disks and the like. */
  blockDevices: string[];
  /** Functions that run once at start. */
  initcalls: string[];
  functions: number;
  symbols: number;
  /** Machine code, what runs only at start included. */
  codeBytes: number;
}

/**
 * path: vmlinux; systemMap: needed if that is stripped. Throws a line that says what is wrong with
 * either.
 */
export function readSurface(path: string, systemMap?: string): Surface {
  const image = new KernelImage(path, systemMap);
  const table = readSystemCalls(image);
  const functions = new Set(image.symbols.filter((s) => s.isFunction).map((s) => s.address));
  return {
    systemCalls: table.present,
    systemCallNumbers: table.length,
    drivers: registered(image, DRIVER_REGISTRATION).map(({ name }) => name),
    fileSystems: registered(image, /^register_filesystem$/).map(({ address }) => {
      const name = image.readPointer(address); // struct file_system_type: its first field
      return name === null ? '?' : image.readText(name);
    }),
    binaryFormats: registered(image, /^__register_binfmt$/).map(({ name }) => name),
    socketFamilies: registered(image, /^sock_register$/).map(({ name }) => name),
    blockDevices: registered(image, /^(__register_blkdev|device_add_disk)$/).map((s) => s.name),
    initcalls: readInitcalls(image),
    functions: functions.size,
    symbols: image.symbols.length,
    codeBytes: image.codeBytes(),
  };
}

/**
 * sys_call_table is an array of functions, by number. What is not configured stands there as a
 * function of two instructions (kernel/sys_ni.c and others), or as one name of a function that also
 * complains (posix-stubs.c).
 */
function readSystemCalls(image: KernelImage): {
  present: { number: number; name: string }[];
  length: number;
} {
  const start = image.addressOf('sys_call_table');
  if (start === undefined) {
    throw new Error('the kernel has no sys_call_table: expected the symbols of Linux 6.1, x86-64');
  }
  const present: { number: number; name: string }[] = [];
  let number = 0;
  for (; ; number++) {
    const target = image.readPointer(start + 8 * number);
    const symbols = target === null ? [] : image.symbolsAt(target);
    const call = symbols.find(({ name }) => name.startsWith('__x64_sys_'));
    if (target === null || !call) break; // the end of the table
    const complains = symbols.some(({ name }) => name === 'sys_ni_posix_timers');
    if (!complains && !image.read(target, NOT_IMPLEMENTED.length).equals(NOT_IMPLEMENTED)) {
      present.push({ number, name: call.name.slice('__x64_sys_'.length) });
    }
  }
  return { present, length: number };
}

/** mov $-ENOSYS, %rax; ret */
const NOT_IMPLEMENTED = Buffer.from([0x48, 0xc7, 0xc0, 0xda, 0xff, 0xff, 0xff, 0xc3]);

/**
 * driver_register, __platform_driver_register, __pci_register_driver, platform_driver_probe, …; not
 * unregister.
 */
const DRIVER_REGISTRATION =
  /^_*(\w+_)?(?<!un)(register_(\w+_)?driver|driver_register|driver_probe)$/;

/**
 * The structures that are handed over as first argument (%rdi) where a function of such a name is
 * called, by name. Wrappers that pass on their own argument name nothing: their callers do.
 */
function registered(image: KernelImage, functions: RegExp): { name: string; address: number }[] {
  const targets = image.symbols.filter((s) => s.isFunction && functions.test(s.name));
  const calls = image.callsOf(new Set(targets.map(({ address }) => address)));
  const found = new Map<string, number>();
  for (const call of calls) {
    const address = firstArgument(image, call);
    const symbol = address === null ? undefined : image.symbolsAt(address)[0];
    if (symbol && !symbol.isFunction) found.set(symbol.name, symbol.address);
  }
  return [...found]
    .map(([name, address]) => ({ name, address }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

/** How far before a call its first argument is looked for. */
const ARGUMENT_BYTES = 40;
/** mov $imm32, %rdi */
const LOAD_ARGUMENT = Buffer.from([0x48, 0xc7, 0xc7]);

/**
 * The constant address that is loaded into %rdi last before the call; null: it comes from
 * elsewhere.
 */
function firstArgument(image: KernelImage, { address }: CallSite): number | null {
  const before = image.read(address - ARGUMENT_BYTES, ARGUMENT_BYTES);
  const at = before.lastIndexOf(LOAD_ARGUMENT);
  if (at < 0 || at + 7 > before.length) return null;
  return before.readInt32LE(at + 3) + 2 ** 31; // see KernelImage: the operand is sign-extended
}

/**
 * 32-bit distances from each entry to its function (include/linux/init.h,
 * CONFIG_HAVE_ARCH_PREL32_RELOCATIONS).
 */
function readInitcalls(image: KernelImage): string[] {
  const start = image.addressOf('__initcall_start');
  const end = image.addressOf('__initcall_end');
  if (start === undefined || end === undefined) return [];
  const names: string[] = [];
  for (let at = start; at < end; at += 4) {
    const target = at + image.read(at, 4).readInt32LE();
    names.push(image.symbolsAt(target).find(({ isFunction }) => isFunction)?.name ?? '?');
  }
  return names;
}
