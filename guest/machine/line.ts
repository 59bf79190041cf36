/**
 * A line of text for people, put together in place: messages, panics. No function here uses a
 * vector register, so that a machine can complain before it has switched them on.
 */
const LINE_BYTES: usize = 480;

export class Line {
  length!: usize;
  bytes!: FixedArray<u8, 480>;
}

/** What does not fit any more is left out. @generalRegisters */
export function addByte(line: Ptr<Line>, byte: u8): void {
  if (line.length < LINE_BYTES) {
    line.bytes[line.length] = byte;
    line.length += 1;
  }
}

/** @generalRegisters */
export function addBytes(line: Ptr<Line>, bytes: Ptr<u8>, length: usize): void {
  for (let i: usize = 0; i < length; i++) addByte(line, bytes[i]);
}

/** @generalRegisters */
export function addText(line: Ptr<Line>, text: string): void {
  addBytes(line, utf8(text), text.length);
}

/** A text, then decimal digits of an unsigned number. @generalRegisters */
export function addNumber(line: Ptr<Line>, text: string, value: u64): void {
  addText(line, text);
  let unit: u64 = 1;
  while (value / unit >= 10) unit *= 10;
  while (unit != 0) {
    addByte(line, u8(0x30 + ((value / unit) % 10)));
    unit /= 10;
  }
}

/** A text, then 0x and hexadecimal digits without leading zeros. @generalRegisters */
export function addAddress(line: Ptr<Line>, text: string, value: u64): void {
  addText(line, text);
  addText(line, '0x');
  let shift: u64 = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  while (true) {
    const digit = u8((value >> shift) & 15);
    addByte(line, digit < 10 ? 0x30 + digit : 0x57 + digit);
    if (shift == 0) break;
    shift -= 4;
  }
}
