/** The stacks, by name: what `mu build` makes and `mu boot` starts. */
import { connectGuest, type Guest, type GuestSettings } from '../console/guest.ts';
import type { Firmware } from '../toolchain/qemu.ts';
import type { ToolName } from '../toolchain/tools.ts';
import { diet } from './diet.ts';
import { fillFolder } from './fillFolder.ts';
import { linux } from './linux.ts';
import { MANIFEST_NAME, type Manifest, type StackName } from './manifest.ts';
import { metal } from './metal.ts';
import type { ImageFormat, MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';
import { unikernel } from './unikernel.ts';

const stacks: Record<StackName, Stack> = { linux, diet, unikernel, metal };

export const STACK_NAMES = Object.keys(stacks) as StackName[];

export function stackNamed(name: StackName): Stack {
  const stack = stacks[name];
  if (!stack) throw new Error(`no stack is named ${name}`);
  return stack;
}

/**
 * What a format needs beside the stack's tools; throws if the stack cannot be built as that.
 * undefined: its default.
 */
export function requireFormat(name: StackName, format?: ImageFormat): readonly ToolName[] {
  if (format === undefined) return [];
  const { formats } = stackNamed(name);
  const tools = formats[format];
  if (tools) return tools;
  const names = Object.keys(formats);
  throw new Error(
    names.length === 0
      ? `the stack ${name} has no formats to choose from: leave --format away`
      : `the stack ${name} is built as ${names.join(', ')}; found --format ${format}`,
  );
}

/** Writes an image into a folder, with a manifest. */
export async function buildStack(
  name: StackName,
  request: StackRequest,
  folder: string,
): Promise<StackBuild> {
  requireFormat(name, request.format);
  const { build } = stackNamed(name);
  return fillFolder(folder, MANIFEST_NAME, (unfinished) => build(request, unfinished));
}

/** What starts an image unless something else is asked for. */
export function usualFirmware({ stack, firmware }: Manifest): 'none' | Firmware {
  return firmware?.[0] ?? stackNamed(stack).firmware;
}

/** Boots a built folder in QEMU. */
export function bootStack(start: MachineStart, settings: GuestSettings = {}): Guest {
  const startedAt = performance.now();
  const firmware = start.firmware ?? usualFirmware(start.manifest);
  const transport = stackNamed(start.manifest.stack).start({ ...start, firmware });
  return connectGuest(transport, { startedAt, ...settings });
}
