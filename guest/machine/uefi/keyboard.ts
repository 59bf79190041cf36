import { enterFirmware, leaveFirmware } from 'arch/firmwareState';
import { protocolOf, systemTable } from './firmware.ts';
import { type Key, TEXT_INPUT, type TextInput } from './protocols.ts';

/**
 * The keyboards, of whatever kind firmware knows: each key as the bytes that a terminal sends for
 * it.
 */

/**
 * Keys that are no character: firmware's scan codes (UEFI 2.10, 12.1.2), and what follows ESC [.
 */
const SCAN_UP: u16 = 1;
const SCAN_DELETE: u16 = 8;
// ↑ ↓ → ← Home End Insert Delete
const SEQUENCES: FixedArray<string> = ['A', 'B', 'C', 'D', 'H', 'F', '2~', '3~'];
const ESCAPE: u8 = 0x1b;
const HEADING: u8 = 0x01; // Ctrl-A, which would begin a program's request

let keyboard: Ptr<TextInput> = null;

/** Bytes of a key that nobody has taken yet. */
const waiting = zeroed<FixedArray<u8, 4>>();
let at: i32 = 0;
let end: i32 = 0;

/**
 * Once firmware has no serial port any more, which it takes for a keyboard too.
 * @generalRegisters
 */
export function startKeyboard(): void {
  const handle = systemTable().inputHandle;
  keyboard = changetype<Ptr<TextInput>>(protocolOf(handle, ref(TEXT_INPUT[0])));
}

/** One byte if one is waiting, else -1. @generalRegisters */
export function pollKeyboard(): i32 {
  if (at == end && !readKey()) return -1;
  const byte = waiting[at];
  at += 1;
  return i32(byte);
}

/** Whether a key was pressed that means something to us. @generalRegisters */
function readKey(): bool {
  if (keyboard == null) return false;
  const key = zeroed<Key>();
  enterFirmware();
  const status = keyboard.readKey(keyboard, ref(key));
  leaveFirmware();
  if (status != 0) return false;
  at = 0;
  end = 0;
  if (key.character == HEADING) addSequence('H');
  else if (key.character != 0) addCharacter(key.character);
  else if (key.scanCode >= SCAN_UP && key.scanCode <= SCAN_DELETE)
    addSequence(SEQUENCES[key.scanCode - SCAN_UP]);
  return end > 0;
}

/** @generalRegisters */
function addSequence(rest: string): void {
  add(ESCAPE);
  add(0x5b); // [
  for (let i: usize = 0; i < rest.length; i++) add(utf8(rest)[i]);
}

/** As UTF-8. @generalRegisters */
function addCharacter(unit: u16): void {
  if (unit < 0x80) {
    add(u8(unit));
  } else if (unit < 0x800) {
    add(u8(0xc0 | (unit >> 6)));
    add(u8(0x80 | (unit & 0x3f)));
  } else {
    add(u8(0xe0 | (unit >> 12)));
    add(u8(0x80 | ((unit >> 6) & 0x3f)));
    add(u8(0x80 | (unit & 0x3f)));
  }
}

/** @generalRegisters */
function add(byte: u8): void {
  waiting[end] = byte;
  end += 1;
}
