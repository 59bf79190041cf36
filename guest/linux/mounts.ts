import { mount } from './processes.ts';

/** mount(2)'s flags; Linux, include/uapi/linux/mount.h */
const READ_ONLY: usize = 1;
const NO_SETUID: usize = 2;
const NO_DEVICES: usize = 4;
const NO_PROGRAMS: usize = 8;
const REMOUNT: usize = 32;
// with REMOUNT: here only, not for the kernel, which goes on making devices
const BIND: usize = 4096;

/**
 * Afterwards only /tmp can be written to, and no program be started there. What the kernel lacks is
 * not there.
 */
export function mountAll(): void {
  const data = NO_SETUID | NO_DEVICES | NO_PROGRAMS;
  const devices = NO_SETUID | NO_PROGRAMS;
  mount('proc\0', '/proc\0', data | READ_ONLY);
  mount('sysfs\0', '/sys\0', data | READ_ONLY);
  mount('tmpfs\0', '/tmp\0', data);
  mount('devtmpfs\0', '/dev\0', devices);
  mount('\0', '/dev\0', devices | READ_ONLY | REMOUNT | BIND);
  mount('\0', '/\0', READ_ONLY | REMOUNT);
}
