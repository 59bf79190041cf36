/**
 * What lies in the first file systems of the Linux stacks, in the order in which archives want it.
 */
import type { CpioEntry } from './cpio.ts';

/** Of the `linux` stack: paths of the programs, and the names by which BusyBox is called. */
export interface LinuxPrograms {
  init: string;
  engine: string;
  busybox: string;
  applets: readonly string[];
}

const console: CpioEntry[] = [
  { path: 'dev', mode: 0o755 },
  // the kernel opens it as files 0 to 2 of /init
  { path: 'dev/console', mode: 0o600, device: [5, 1] },
];

/** `linux` but for the pack, which comes in an archive of its own: packInitramfs(). */
export function linuxInitramfs({ init, engine, busybox, applets }: LinuxPrograms): CpioEntry[] {
  return [
    ...console,
    ...['proc', 'sys', 'tmp', 'bin'].map((path) => ({ path, mode: 0o755 })),
    { path: 'init', mode: 0o555, content: { file: init } },
    { path: 'engine', mode: 0o555, content: { file: engine } },
    { path: 'bin/busybox', mode: 0o555, content: { file: busybox } },
    ...applets.map((name) => ({ path: `bin/${name}`, mode: 0o777, link: 'busybox' })),
    { path: 'bin/talk', mode: 0o777, link: '/init' },
  ];
}

/** The pack alone: archives that a loader hands over one after the other are unpacked as one. */
export function packInitramfs(pack: string): CpioEntry[] {
  return [{ path: 'model.pack', mode: 0o444, content: { file: pack } }];
}

/** `diet`: the engine is all there is. */
export function dietInitramfs(engine: string, pack: string): CpioEntry[] {
  return [
    ...console,
    { path: 'init', mode: 0o555, content: { file: engine } },
    ...packInitramfs(pack),
  ];
}
