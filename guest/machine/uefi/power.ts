import { isFirstCore } from 'arch/apic';
import { pause, readTicks } from 'arch/cpu';
import { enterFirmware, leaveFirmware } from 'arch/firmwareState';
import { hlt } from 'arch/instructions';
import { ioWrite8 } from 'arch/io';
import { DEBUG_EXIT } from 'arch/layout';
import { drain, write as writeUart } from '../../device/uart16550.ts';
import { runtimeServices, stall } from './firmware.ts';
import { pollKeyboard } from './keyboard.ts';
import { SHUTDOWN } from './protocols.ts';
import { hasScreen, show } from './screen.ts';

/**
 * Writing and switching off, for any core. Only the first one may call firmware, so that another
 * one's last words and its wish to switch off are the first one's to fulfil, which waits for it.
 */
/**
 * Ticks of the TSC, a few per nanosecond, until a core whose wish nobody has fulfilled tries it
 * itself.
 */
const PATIENCE_TICKS: u64 = 10000000000;

/** Half a minute, in steps of 10 ms. */
const READING_STEPS: i32 = 3000;
const STEP_MICROSECONDS: usize = 10000;

let lastWords: Ptr<u8> = null;
let lastLength: usize = 0;
/** Another core wants it. */
let isWanted: u32 = 0;

/**
 * To the serial port and the screen. Once another core has said its last words nobody else says
 * any.
 * @generalRegisters
 */
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

/**
 * Switches off; never returns. What went wrong stands on the console, where there is time to read
 * it.
 * @generalRegisters
 */
export function powerOff(code: i32): void {
  drain();
  if (isFirstCore()) {
    finishForOthers();
    if (code != 0) waitForReader();
  } else {
    atomic.store<u32>(ref(isWanted), 1);
    const start = readTicks();
    while (readTicks() - start < PATIENCE_TICKS) pause();
  }
  reset(code);
}

/**
 * What the first core does now and then while it waits for others: switches off for the one that
 * has failed.
 * @generalRegisters
 */
export function finishForOthers(): void {
  if (atomic.load<u32>(ref(isWanted)) == 0) return;
  show(lastWords, lastLength);
  waitForReader();
  reset(1);
}

/** A screen goes dark with the machine. @generalRegisters */
function waitForReader(): void {
  if (!hasScreen()) return;
  const text = '\nPress a key to switch off.';
  show(utf8(text), text.length);
  for (let i: i32 = 0; i < READING_STEPS && pollKeyboard() < 0; i++) stall(STEP_MICROSECONDS);
}

/** Firmware hands on no exit code. @generalRegisters */
function reset(code: i32): void {
  if (code != 0) ioWrite8(DEBUG_EXIT, u8(code & 0x7f));
  enterFirmware();
  runtimeServices().resetSystem(SHUTDOWN, 0, 0, 0);
  leaveFirmware();
  while (true) hlt();
}
