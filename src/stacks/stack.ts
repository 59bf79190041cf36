/** What every stack is: a recipe that writes an image into a folder, and one that boots it. */
import type { Transport } from '../console/transport.ts';
import type { TargetName } from '../toolchain/architectures.ts';
import type { Firmware, Medium, QemuMachine } from '../toolchain/qemu.ts';
import type { ToolName } from '../toolchain/tools.ts';
import type { VariantName } from '../toolchain/variants.ts';
import type { EngineName } from './engine.ts';
import type { Manifest } from './manifest.ts';
import type { PackRequest, PreparedGuest } from './prepare.ts';

export const IMAGE_FORMATS = ['elf', 'firecracker', 'efi', 'img', 'iso'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

export interface StackRequest extends PackRequest {
  /** Default: x86_64. */
  architecture?: TargetName;
  /** Default: cpu. */
  engine?: EngineName;
  checked?: boolean;
  /** Only this CPU variant; default: as in GuestRequest. */
  cpu?: VariantName;
  /** As in GuestRequest. */
  ctxShift?: boolean;
  /**
   * Folder of a Limine release. Default: the usual places; for an ISO of the stack metal: none, so
   * it boots by UEFI alone.
   */
  limine?: string;
  /** Stack linux: whether its kernel knows USB keyboards. */
  usb?: boolean;
  /** One of the stack's formats. Default: its first. */
  format?: ImageFormat;
  /** Stack metal: the model pack is a part of the EFI application, in place of a file beside it. */
  embed?: boolean;
  /** Called while something long is built: files, say, of about so many in all. */
  onStep?: (done: number, total: number, what: string) => void;
  /** Called with a line for people. */
  say?: (line: string) => void;
}

export interface StackBuild {
  manifest: Manifest;
  prepared: PreparedGuest;
}

export interface MachineStart {
  folder: string;
  manifest: Manifest;
  machine: QemuMachine;
  processors?: number;
  /** What starts the image; none: QEMU does it itself, by PVH. Default: the stack's own. */
  firmware?: 'none' | Firmware;
  /** What the firmware boots from. Default: the stack's first. */
  medium?: Medium;
  /** A shell on the serial console in place of the engine, where the stack has one. */
  shell?: boolean;
}

export interface Stack {
  /** What must be installed to build it, beside the engine's tools. */
  tools: readonly ToolName[];
  /**
   * What it can be built as, the default first, and what each format needs beside these tools.
   * Empty: there is no choice.
   */
  formats: Partial<Record<ImageFormat, readonly ToolName[]>>;
  /** What starts it unless its manifest says otherwise. */
  firmware: 'none' | Firmware;
  build(request: StackRequest, folder: string): Promise<StackBuild>;
  /** Boots a built folder in QEMU; throws if this stack cannot start that way. */
  start(start: MachineStart): Transport;
}
