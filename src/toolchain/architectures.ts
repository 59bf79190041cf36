/**
 * The processor architectures that guests are built for: what differs between them on the host, a
 * row each. A port adds a row here, CPU variants and a folder guest/arch/<name>; the compiler emits
 * C for more than there are rows.
 */
import type { Architecture } from '../compiler/index.ts';
import type { ToolName } from './tools.ts';

export const GUEST_MACHINES = ['process', 'pc', 'uefi'] as const;
export type GuestMachine = (typeof GUEST_MACHINES)[number];

/** How programs for one machine (guest/machine/<name>) are compiled and linked. */
export interface MachineBuild {
  /** clang's arguments */
  compile: readonly string[];
  /** lld's arguments */
  link: readonly string[];
  /** lld's script, from the project's root folder; none: what lld does by itself */
  script?: string;
}

/** QEMU's machines that boot images of ours. */
export const QEMU_MACHINES = ['microvm', 'q35'] as const;
export type QemuMachine = (typeof QEMU_MACHINES)[number];

export interface TargetArchitecture {
  /** as the compiler, `--target` and a manifest say it; musl's folders have the same name */
  name: TargetName;
  /** as people say it */
  title: string;
  /** Node's process.arch where its programs run as processes */
  node: string;
  /** clang's --target */
  triple: string;
  /** clang's arguments for code that interrupts may come into, on the same stack */
  interrupted: readonly string[];
  machines: Record<GuestMachine, MachineBuild>;
  qemu: {
    tool: ToolName;
    /** -M */
    machines: Record<QemuMachine, string>;
    /** the one that firmware starts on */
    withFirmware: QemuMachine;
    cpu: string;
    /** a device that a guest of ours writes its code to when it fails */
    debugExit: readonly string[];
  };
  uefi: {
    /** Brings the firmware's code, a file for QEMU's first flash memory. */
    tool: ToolName;
    /** What its variables are at first, for the second. */
    variables: string;
    /** What firmware starts from removable media (UEFI 2.10, table 3.2). */
    application: string;
  };
  linux: {
    /** make's ARCH */
    arch: string;
    /** in the tree that was built: an EFI application, which loaders know too */
    image: string;
    /** the same, an ELF for PVH */
    elf: string;
  };
}

export const TARGET_NAMES = ['x86_64'] as const satisfies readonly Architecture[];
export type TargetName = (typeof TARGET_NAMES)[number];

/** The I/O port of QEMU's debug exit (guest/arch/x86_64/layout.ts). */
export const DEBUG_EXIT_PORT = 0xf4;

const NO_RED_ZONE = ['-mno-red-zone'];

const X86_64: TargetArchitecture = {
  name: 'x86_64',
  title: 'x86-64',
  node: 'x64',
  triple: 'x86_64-linux-gnu',
  interrupted: NO_RED_ZONE,
  machines: {
    process: { compile: [], link: ['-static'] },
    // Linked in the top 2 GiB.
    pc: {
      compile: [...NO_RED_ZONE, '-mcmodel=kernel'],
      link: ['-static'],
      script: 'guest/machine/pc/link.ld',
    },
    // Firmware loads an application wherever there is room; all of it is one file, so no symbol is
    // anybody else's.
    uefi: {
      compile: [...NO_RED_ZONE, '-fpie', '-fdirect-access-external-data'],
      link: ['-pie', '--no-dynamic-linker', '-z', 'norelro'],
      script: 'guest/machine/uefi/link.ld',
    },
  },
  qemu: {
    tool: 'qemu',
    // acpi=off keeps microvm from building tables that nobody reads.
    machines: { microvm: 'microvm,acpi=off', q35: 'q35' },
    withFirmware: 'q35',
    // Emulated, `rep movsb` moves byte by byte; told that it is slow (no ERMS), Linux starts in two
    // thirds of the time.
    cpu: 'max,-erms',
    // QEMU ends with 2 × code + 1 (guest/arch/x86_64/layout.ts).
    debugExit: ['-device', `isa-debug-exit,iobase=0x${DEBUG_EXIT_PORT.toString(16)},iosize=1`],
  },
  uefi: {
    tool: 'ovmf',
    variables: '/usr/share/OVMF/OVMF_VARS_4M.fd',
    application: 'EFI/BOOT/BOOTX64.EFI',
  },
  linux: {
    arch: 'x86',
    image: 'arch/x86/boot/bzImage',
    elf: 'arch/x86/boot/compressed/vmlinux.bin', // vmlinux without its symbols, still an ELF file
  },
};

const TARGETS: Record<TargetName, TargetArchitecture> = { x86_64: X86_64 };

/** What guests are built for unless something else is asked for. */
export const DEFAULT_TARGET: TargetName = 'x86_64';

export function isTarget(name: string): name is TargetName {
  return Object.hasOwn(TARGETS, name);
}

/** Throws for what no guest is built for. what: who asks, for the message. */
export function targetNamed(name: string, what?: string): TargetArchitecture {
  if (isTarget(name)) return TARGETS[name];
  const where = what === undefined ? '' : `${what}: `;
  throw new Error(
    `${where}unsupported architecture ${name}: guests are built for ${TARGET_NAMES.join(', ')}`,
  );
}

/** What runs as processes of this system; undefined: nothing does. */
export function ownTarget(): TargetArchitecture | undefined {
  if (process.platform !== 'linux') return undefined;
  return Object.values(TARGETS).find(({ node }) => node === process.arch);
}
