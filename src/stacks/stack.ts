/** What every stack is: a recipe that writes an image into a folder, and one that boots it. */
import type { Child } from '../toolchain/children.ts';
import type { QemuMachine } from '../toolchain/qemu.ts';
import type { ToolName } from '../toolchain/tools.ts';
import type { Manifest } from './manifest.ts';
import type { PackRequest, PreparedGuest } from './prepare.ts';

export interface StackRequest extends PackRequest {
  checked?: boolean;
  /** Folder of a Limine release. Default: the usual places. */
  limine?: string;
  /** Called while something long is built: files, say, of about so many in all. */
  onStep?: (done: number, total: number, what: string) => void;
  /** Called with a line for people. */
  say?: (line: string) => void;
}

export interface StackBuild {
  manifest: Manifest;
  prepared: PreparedGuest;
}

/** How the machine starts: by PVH straight from QEMU, or as real ones do, by their firmware. */
export const FIRMWARES = ['none', 'bios', 'uefi'] as const;
export type Firmware = (typeof FIRMWARES)[number];

export const MEDIA = ['cd', 'disk'] as const;
export type Medium = (typeof MEDIA)[number];

export interface MachineStart {
  folder: string;
  manifest: Manifest;
  machine: QemuMachine;
  processors?: number;
  /** Default: none. */
  firmware?: Firmware;
  /** What the firmware boots from. Default: cd. */
  medium?: Medium;
  /** A shell on the serial console in place of the engine, where the stack has one. */
  shell?: boolean;
}

export interface Stack {
  /** What must be installed to build it. */
  tools: readonly ToolName[];
  build(request: StackRequest, folder: string): Promise<StackBuild>;
  /** Boots a built folder in QEMU; throws if this stack cannot start that way. */
  start(start: MachineStart): Child;
}
