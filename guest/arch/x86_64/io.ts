/** How a device's registers are reached: through I/O ports here, in memory on other processors. */
export type IoAddress = u16;

/** @inline */
export function ioRead8(at: IoAddress): u8 {
  let value: u8 = 0;
  asm('in %dx, %al', { in: { dx: at }, out: { al: value }, memory: false });
  return value;
}

/** @inline */
export function ioWrite8(at: IoAddress, value: u8): void {
  asm('out %al, %dx', { in: { dx: at, al: value }, memory: false });
}

/** @inline */
export function ioWrite16(at: IoAddress, value: u16): void {
  asm('out %ax, %dx', { in: { dx: at, ax: value }, memory: false });
}
