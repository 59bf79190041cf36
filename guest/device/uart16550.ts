import { pause } from 'arch/cpu';
import { type IoAddress, ioRead8, ioWrite8 } from 'arch/io';

/**
 * 16550 UART, polled: the console. NS16550AF data sheet, table II.
 *
 * | offset | read               | write              | with DLAB = 1     |
 * |--------|--------------------|--------------------|-------------------|
 * | 0      | RBR receive buffer | THR transmit hold  | DLL divisor low   |
 * | 1      | IER interrupts     | IER                | DLM divisor high  |
 * | 2      | IIR: bits 6-7 FIFO on | FCR FIFO control | –                 |
 * | 3      | LCR line control: bits 0-1 = 3: 8 bits, bit 7 DLAB     | |
 * | 4      | MCR modem control: bit 0 DTR, bit 1 RTS                | |
 * | 5      | LSR line status: bit 0 data ready, bit 5 THR empty, bit 6 all sent | |
 * | 7      | SCR scratch        | SCR                | –                 |
 */
const DATA: IoAddress = 0;
const INTERRUPTS: IoAddress = 1;
const FIFO: IoAddress = 2;
const LINE_CONTROL: IoAddress = 3;
const MODEM_CONTROL: IoAddress = 4;
const LINE_STATUS: IoAddress = 5;
const SCRATCH: IoAddress = 7;

const DATA_READY: u8 = 0x01;
const TRANSMIT_EMPTY: u8 = 0x20;
const ALL_SENT: u8 = 0x40;

/**
 * On, both emptied, trigger level 14: an interrupt would come at 14 bytes. QEMU takes the level for
 * the number of bytes that it may hand over at once, and needs about half a millisecond to come
 * again.
 */
const FIFO_ON: u8 = 0xc7;

/** 115,200 baud: the divisor of 1.8432 MHz / 16. */
const DIVISOR: u8 = 1;

/**
 * Of its registers. Beside what has a value from the start: a PC clears storage when the UART has
 * long been talking (guest/machine/pc/startInfo.ts). @section .data
 */
let base: IoAddress = 0;

/**
 * Bytes that may be written at once when the transmitter is empty; 0: there is no UART, and nothing
 * is ever said.
 */
let burst: u32 = 1;

/** A byte that had come before the FIFOs were switched on, which empties them; -1: none. */
let early: i32 = -1;

/** Looks at the last byte on its way out before giving up: seconds. */
const DRAIN_LIMIT: u32 = 10000000;

/**
 * 115,200 baud, 8 bits, no parity, one stop bit, FIFOs on and empty, no interrupts. at: its
 * registers.
 * @generalRegisters
 */
export function startUart(at: IoAddress): void {
  base = at;
  ioWrite8(base + SCRATCH, 0x5a);
  if (ioRead8(base + SCRATCH) != 0x5a) {
    burst = 0;
    return;
  }
  ioWrite8(base + INTERRUPTS, 0);
  ioWrite8(base + LINE_CONTROL, 0x83);
  ioWrite8(base + DATA, DIVISOR);
  ioWrite8(base + INTERRUPTS, 0);
  ioWrite8(base + LINE_CONTROL, 0x03);
  ioWrite8(base + MODEM_CONTROL, 0x03);
  if ((ioRead8(base + LINE_STATUS) & DATA_READY) != 0) early = i32(ioRead8(base + DATA));
  ioWrite8(base + FIFO, FIFO_ON);
  burst = (ioRead8(base + FIFO) & 0xc0) == 0xc0 ? 16 : 1;
}

/**
 * All bytes. A UART that is there empties its transmitter sooner or later; how soon is up to
 * whoever reads the other end, so this waits without limit. @generalRegisters
 */
export function write(bytes: Ptr<u8>, length: usize): void {
  if (burst == 0) return;
  let done: usize = 0;
  while (done < length) {
    while ((ioRead8(base + LINE_STATUS) & TRANSMIT_EMPTY) == 0) pause();
    for (let room: u32 = burst; room > 0 && done < length; room--) {
      ioWrite8(base + DATA, bytes[done]);
      done++;
    }
  }
}

/** @generalRegisters */
export function isThere(): bool {
  return burst != 0;
}

/** One byte if one is waiting, else -1. */
export function poll(): i32 {
  if (early >= 0) {
    const byte = early;
    early = -1;
    return byte;
  }
  if (burst == 0 || (ioRead8(base + LINE_STATUS) & DATA_READY) == 0) return -1;
  return i32(ioRead8(base + DATA));
}

/** Waits until the last byte has left, but not for ever. @generalRegisters */
export function drain(): void {
  for (let i: u32 = 0; i < DRAIN_LIMIT && burst != 0; i++) {
    if ((ioRead8(base + LINE_STATUS) & ALL_SENT) != 0) return;
    pause();
  }
}
