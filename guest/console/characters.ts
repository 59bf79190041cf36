/**
 * ASCII's control characters as the console protocol (docs/console.md) uses them;
 * src/console/protocol.ts defines it.
 */
export enum Control {
  None = 0,
  StartOfHeading = 1, // settings follow
  StartOfText = 2,
  EndOfText = 3,
  EndOfTransmission = 4, // switch off
  Enquiry = 5, // ready
  Backspace = 8,
  Tab = 9,
  LineFeed = 10,
  CarriageReturn = 13,
  DataLinkEscape = 16,
  NegativeAcknowledge = 21,
  Cancel = 24,
  Escape = 27,
  Delete = 127,
}

const ESCAPED: i32 = 0x40;

/** Whether framed text must not hold the byte as it is. */
export function needsEscape(byte: i32): bool {
  if (byte >= Control.StartOfHeading && byte <= Control.Enquiry) return true;
  return byte == Control.DataLinkEscape || byte == Control.Cancel;
}

/** The byte that follows DLE; the same again gives the byte back. */
export function escape(byte: i32): i32 {
  return byte ^ ESCAPED;
}
