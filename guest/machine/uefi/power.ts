import { isFirstCore } from '../x86/apic.ts';
import { drain, write as writeUart } from '../x86/uart.ts';
import { enterFirmware, leaveFirmware, runtimeServices } from './firmware.ts';
import { SHUTDOWN } from './protocols.ts';
import { show } from './screen.ts';

/**
 * Writing and switching off, for any core. Only the first one may call firmware, so that another one's last words and its wish to
 * switch off are the first one's to fulfil, which waits for it.
 */
/** Pauses until a core whose wish nobody has fulfilled tries it itself: the first one may have failed too. */
const PATIENCE: u32 = 100000000;

let lastWords: Ptr<u8> = null;
let lastLength: usize = 0;
/** Another core wants it. */
let isWanted: u32 = 0;

/** To the serial port and the screen. Once another core has said its last words nobody else says any. @generalRegisters */
export function write(bytes: Ptr<u8>, length: usize): void {
  if (isFirstCore()) {
    finishForOthers();
    writeUart(bytes, length);
    show(bytes, length);
  } else if (atomic.load<u32>(ref(isWanted)) == 0) {
    writeUart(bytes, length);
    lastWords = bytes;
    lastLength = length;
  }
}

/** Switches off; never returns. Firmware hands on no exit code: what went wrong stands on the console. @generalRegisters */
export function powerOff(): void {
  drain();
  if (isFirstCore()) {
    finishForOthers();
  } else {
    atomic.store<u32>(ref(isWanted), 1);
    for (let i: u32 = 0; i < PATIENCE; i++) cpu.pause();
  }
  reset();
}

/** What the first core does now and then while it waits for others. @generalRegisters */
export function finishForOthers(): void {
  if (atomic.load<u32>(ref(isWanted)) == 0) return;
  show(lastWords, lastLength);
  reset();
}

/** @generalRegisters */
function reset(): void {
  enterFirmware();
  runtimeServices().resetSystem(SHUTDOWN, 0, 0, 0);
  leaveFirmware();
  while (true) cpu.halt();
}
