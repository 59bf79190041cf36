/** The frame that the processor pushes. */
class Frame {
  address!: u64;
  codeSegment!: u64;
  flags!: u64;
}

let ticks: u64 = 0;

/** @interrupt */
function onFault(frame: Ptr<Frame>, code: usize): void {
  say(u8(code));
  ticks += frame.flags;
}

function say(byte: u8): void {
  while ((port.in8(0x3fd) & 0x20) == 0) cpu.pause();
  port.out8(0x3f8, byte);
}

/** @generalRegisters @noinline */
function start(info: usize): void {
  cpu.writeCr4(cpu.readCr4() | 0x600);
  store<usize>(4096, changetype<usize>(onFault));
  volatile.store<u32>(0xfee000b0, 0);
  if (atomic.cmpxchg<u32>(8192, 0, 1) == 0) atomic.add<u32>(8196, 1);
  cpu.halt();
}

entry.pvh(start, 16384);
