import { lineLength, lineText } from '../../../guest/console/editor.ts';
import { Request, readRequest } from '../../../guest/console/request.ts';
import { say, sayBytes } from '../../../guest/console/say.ts';
import type { Settings } from '../../../guest/engine/settings.ts';

const settings = zeroed<Settings>();

/** Says what each request was, as tests/boot/lines.test.ts wants to know. */
export function main(): void {
  say('ready\n');
  while (true) {
    const request = readRequest(ref(settings));
    if (request == Request.End) return;
    if (request == Request.Malformed) say('\nmalformed');
    if (request == Request.OtherVersion) say('\nother');
    if (request == Request.Framed) say('\nframed');
    if (request == Request.LongFramed) say('\nlong framed');
    if (request == Request.LongLine) say('long');
    say('[');
    sayBytes(lineText(), lineLength());
    say(']\n');
  }
}
