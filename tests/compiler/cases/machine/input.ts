/** The frame that the processor pushes. */
class Frame {
  address!: u64;
  codeSegment!: u64;
  flags!: u64;
}

let ticks: u64 = 0;

/** @interrupt */
function onInterrupt(frame: Ptr<Frame>): void {
  say(u8(frame.address & 0xff));
  ticks += frame.flags;
}

function say(byte: u8): void {
  while ((volatile.load<u8>(0x3fd) & 0x20) == 0) pause();
  volatile.store<u8>(0x3f8, byte);
}

/** @inline */
function pause(): void {
  asm('pause', { memory: false });
}

/** @symbol start @generalRegisters @noinline */
function start(info: usize): void {
  store<usize>(4096, changetype<usize>(onInterrupt));
  volatile.store<u32>(0xfee000b0, 0);
  if (atomic.add<u32>(8192, 1) == 0) atomic.store<u32>(8196, 1);
  asm('hlt');
}
