import { enterFirmware, leaveFirmware } from 'arch/firmwareState';
import { anyProtocol, protocolOf, systemTable } from './firmware.ts';
import { GRAPHICS_OUTPUT, TEXT_OUTPUT, type TextOutput } from './protocols.ts';

/**
 * The screen, for people: firmware's text console. It shows what the serial port gets, but for what
 * is meant for programs (docs/console.md): control characters, and the report after an answer.
 * Where the guest waits for a request, it says so.
 */
const ETX: u8 = 3;
const ENQ: u8 = 5;
const BACKSPACE: u8 = 8;
const LINE_FEED: u8 = 10;
const DLE: u8 = 16;

enum State {
  Text,
  /** from ETX to the line feed */
  Report,
  /** after DLE: a character that is none of text */
  Escaped,
}

/** Characters that are handed over at once. */
const PIECE: usize = 128;
const piece = zeroed<FixedArray<u16, 132>>();
let used: usize = 0;

let screen: Ptr<TextOutput> = null;
let state: i32 = 0;
/** A character of UTF-8 that is not complete, and how many of its bytes are missing. */
let character: u32 = 0;
let missing: u32 = 0;

/**
 * Once firmware has no serial port any more: its console is the screen then, if there is one.
 * @generalRegisters
 */
export function startScreen(): void {
  if (anyProtocol(ref(GRAPHICS_OUTPUT[0])) == 0) return;
  const handle = systemTable().outputHandle;
  screen = changetype<Ptr<TextOutput>>(protocolOf(handle, ref(TEXT_OUTPUT[0])));
  if (screen == null) return;
  enterFirmware();
  screen.clear(screen);
  leaveFirmware();
}

/** @generalRegisters */
export function hasScreen(): bool {
  return screen != null;
}

/** @generalRegisters */
export function show(bytes: Ptr<u8>, length: usize): void {
  if (screen == null) return;
  for (let i: usize = 0; i < length; i++) {
    showByte(bytes[i]);
    if (used >= PIECE) flush();
  }
  flush();
}

/** @generalRegisters */
function showByte(byte: u8): void {
  if (state == State.Report) {
    if (byte == LINE_FEED) state = State.Text;
  } else if (state == State.Escaped) {
    state = State.Text;
  } else if (byte < 0x20) {
    showControl(byte);
  } else if (byte < 0x80) {
    add(u16(byte));
  } else {
    showPart(byte);
  }
}

/** @generalRegisters */
function showControl(byte: u8): void {
  if (byte == DLE) state = State.Escaped;
  else if (byte == ETX) state = State.Report;
  if (byte == LINE_FEED || byte == ETX) {
    add(0x0d);
    add(0x0a);
  } else if (byte == ENQ) {
    add(0x3e); // >
    add(0x20);
  } else if (byte == BACKSPACE) {
    add(0x08);
  }
}

/**
 * A byte of a character of several; those beyond 16 bits become a question mark.
 * @generalRegisters
 */
function showPart(byte: u8): void {
  if (byte < 0xc0) {
    if (missing == 0) return;
    character = (character << 6) | (u32(byte) & 0x3f);
    missing -= 1;
    if (missing == 0) add(character < 0x10000 ? u16(character) : 0x3f);
  } else if (byte < 0xe0) {
    begin(byte & 0x1f, 1);
  } else if (byte < 0xf0) {
    begin(byte & 0x0f, 2);
  } else {
    begin(byte & 0x07, 3);
  }
}

/** @generalRegisters */
function begin(bits: u8, more: u32): void {
  character = u32(bits);
  missing = more;
}

/** @generalRegisters */
function add(unit: u16): void {
  piece[used] = unit;
  used += 1;
}

/** @generalRegisters */
function flush(): void {
  if (used == 0) return;
  piece[used] = 0;
  used = 0;
  enterFirmware();
  screen.write(screen, ref(piece[0]));
  leaveFirmware();
}
