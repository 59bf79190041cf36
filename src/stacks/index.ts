/** The stacks, by name: what `mu build` makes and `mu boot` starts. */
import { connectGuest, type Guest, type GuestSettings } from '../console/guest.ts';
import type { Firmware } from '../toolchain/qemu.ts';
import { diet } from './diet.ts';
import { linux } from './linux.ts';
import type { Manifest, StackName } from './manifest.ts';
import { metal } from './metal.ts';
import type { MachineStart, Stack, StackBuild, StackRequest } from './stack.ts';
import { unikernel } from './unikernel.ts';

const stacks: Record<StackName, Stack> = { linux, diet, unikernel, metal };

export const STACK_NAMES = Object.keys(stacks) as StackName[];

export function stackNamed(name: StackName): Stack {
  const stack = stacks[name];
  if (!stack) throw new Error(`no stack is named ${name}`);
  return stack;
}

/** Writes an image into a folder, with a manifest. */
export function buildStack(
  name: StackName,
  request: StackRequest,
  folder: string,
): Promise<StackBuild> {
  return stackNamed(name).build(request, folder);
}

/** What starts an image unless something else is asked for. */
export function usualFirmware({ stack, firmware }: Manifest): 'none' | Firmware {
  return firmware?.[0] ?? stackNamed(stack).firmware;
}

/** Boots a built folder in QEMU. */
export function bootStack(start: MachineStart, settings: GuestSettings = {}): Guest {
  const startedAt = performance.now();
  const firmware = start.firmware ?? usualFirmware(start.manifest);
  const child = stackNamed(start.manifest.stack).start({ ...start, firmware });
  return connectGuest(child, { startedAt, ...settings });
}
