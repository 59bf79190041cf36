import { escapeText } from './framing.ts';
import { ETX, SOH, STX } from './protocol.ts';
import { encodeSettings, type Settings } from './settings.ts';

/** One framed request: SOH settings STX text ETX. */
export function encodeRequest(text: string | Uint8Array, settings: Settings): Uint8Array {
  const body = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  return Buffer.concat([
    Uint8Array.of(SOH),
    Buffer.from(encodeSettings(settings), 'latin1'),
    Uint8Array.of(STX),
    escapeText(body),
    Uint8Array.of(ETX),
  ]);
}
