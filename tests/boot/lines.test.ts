/** The line editor: keys go in, the line that arrives and what a terminal shows come out. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROTOCOL_VERSION } from '../../src/console/protocol.ts';
import { encodeRequest } from '../../src/console/request.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { type Guest, MAX_PROMPT_BYTES, PLACES, PREPARE_LIMIT, prepare, start } from './start.ts';

const [UP, DOWN, RIGHT, LEFT] = ['\x1b[A', '\x1b[B', '\x1b[C', '\x1b[D'];
const [HOME, END, DELETE] = ['\x1b[H', '\x1b[F', '\x1b[3~'];
const [BACKSPACE, CTRL_C, CTRL_U, CR, EOT] = ['\x7f', '\x03', '\x15', '\r', '\x04'];

/** What a guest made of some keys. */
interface Outcome {
  /** The lines that arrived. */
  lines: string[];
  /** The rows of a terminal that were typed into, without what the app says. */
  shown: string[];
}

/** Sends keys that end `count` lines. */
async function type(guest: Guest, keys: string | Uint8Array, count = 1): Promise<Outcome> {
  const before = guest.output().length;
  const said = () => Buffer.from(guest.output().slice(before), 'latin1').toString();
  guest.send(Buffer.from(keys).toString('latin1'));
  while (said().split(']\n').length <= count) await sleep(1);
  const rows = said().split('\n').slice(0, -1).map(show);
  const isAnswer = (row: string) => /^(framed|malformed|other|long|long framed)?\[/.test(row);
  return {
    lines: rows.filter(isAnswer).map((row) => row.replace(/\[(.*)\]$/, '$1')),
    shown: rows.filter((row) => !isAnswer(row)),
  };
}

/** What a row shows after text, spaces and backspaces, each character in a column. */
function show(echo: string): string {
  const row: string[] = [];
  let column = 0;
  for (const character of echo) {
    if (character === '\b') column--;
    else row[column++] = character;
  }
  return row.join('').trimEnd();
}

const cases: [what: string, keys: string, line: string][] = [
  ['a line', 'Once upon', 'Once upon'],
  ['backspace, both kinds', `Onx\be${BACKSPACE}ce`, 'Once'],
  ['backspace takes a character whole', `né${BACKSPACE}e€${BACKSPACE}x😀${BACKSPACE}`, 'nex'],
  ['left and right', `nce${LEFT.repeat(9)}O${RIGHT.repeat(9)}!`, 'Once!'],
  ['insert and delete within', `aéz${LEFT}${LEFT}€${DELETE}`, 'a€z'],
  [
    'Home and End, as terminals differ',
    `b${HOME}a${END}c\x1bOH1\x1bOF2\x1b[1~3\x1b[4~4`,
    '31abc24',
  ],
  ['Ctrl-C, Ctrl-U', `never${CTRL_C}nor${CTRL_U}this`, 'this'],
  ['other keys do nothing', 'a\x1b[5~\x1b[1;5P\x1bOP\0\x18\x1b[2~b', 'ab'],
  ['Esc, then a key', 'a\x1b\x1b[Db', 'ba'],
  ['a TAB, which shows as a space', `a\tb${LEFT}${LEFT}\tc${END}\x1b\td`, 'a\tc\tb\td'],
];

describe.each(PLACES)('lines: %s', (place) => {
  let guest: Guest;
  beforeAll(async () => {
    await prepare(place);
    guest = await start(place, { app: 'lines' });
    await guest.waitFor('ready\n');
  }, PREPARE_LIMIT);
  afterAll(async () => {
    expect((await guest.end(EOT)).code).toBe(0);
  });

  test.each(cases)('%s', async (_, keys, line) => {
    const shown = line.replaceAll('\t', ' ');
    expect(await type(guest, keys + CR)).toEqual({ lines: [line], shown: [shown] });
  });

  test('bytes that are no character are left out', async () => {
    const bytes = [0x80, 0x61, 0xc3, 0x62, 0xff, 0xe2, 0x82, 0x0d];
    expect(await type(guest, Uint8Array.from(bytes))).toEqual({ lines: ['ab'], shown: ['ab'] });
  });

  test('up and down walk the lines that were typed', async () => {
    await type(guest, `first${CR}second${CR}second${CR}`, 3);
    expect((await type(guest, `${UP}${UP}${CR}`)).lines).toEqual(['first']);
    expect((await type(guest, `lost${UP.repeat(3)}${DOWN}!${CR}`)).lines).toEqual(['second!']);
    const past = `${UP}${UP}${DOWN.repeat(5)}new${CR}`;
    expect(await type(guest, past)).toEqual({ lines: ['new'], shown: ['new'] });
  });

  test('an empty line, and CR LF, are no requests of their own', async () => {
    expect((await type(guest, `\r\n\r${CTRL_C}\ra\r\nb\r\n`, 2)).lines).toEqual(['a', 'b']);
  });

  test('a line that is too long is not asked, but can be recalled', async () => {
    const long = 'x'.repeat(MAX_PROMPT_BYTES - 1);
    expect((await type(guest, `${long}€y z${CR}`)).lines).toEqual([`long${long}y`]);
    expect((await type(guest, `${UP}${BACKSPACE}!${CR}`)).lines).toEqual([`${long}!`]);
    expect((await type(guest, `${long}€${CTRL_U}€${CR}`)).lines).toEqual(['€']);
  });

  test('every byte of a program’s request arrives, and none of one too long is lost unsaid', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (let at = 0; at < all.length; at += MAX_PROMPT_BYTES) {
      const bytes = all.subarray(at, at + MAX_PROMPT_BYTES);
      const before = guest.output().length;
      guest.send(Buffer.from(encodeRequest(bytes, DEFAULT_SETTINGS)).toString('latin1'));
      const expected = `\nframed[${Buffer.from(bytes).toString('latin1')}]\n`;
      while (guest.output().length < before + expected.length) await sleep(1);
      expect(guest.output().slice(before)).toBe(expected);
    }
    const full = 'x'.repeat(MAX_PROMPT_BYTES);
    const ask = async (text: string) => {
      const request = Buffer.from(encodeRequest(text, DEFAULT_SETTINGS)).toString();
      return (await type(guest, request)).lines;
    };
    expect(await ask(full)).toEqual([`framed${full}`]);
    expect(await ask(`${full}y`)).toEqual([`long framed${full}`]);
  });

  test('a program’s request takes the place of a half-typed line', async () => {
    const request = Buffer.from(encodeRequest('é\x03', DEFAULT_SETTINGS)).toString();
    expect((await type(guest, `half${request}`)).lines).toEqual(['framedé\x03']);
    expect((await type(guest, `half\x1b[${request}`)).lines).toEqual(['framedé\x03']);
    expect((await type(guest, `\x01never mind${CTRL_C}`)).lines).toEqual(['malformed']);
    // the settings' first byte is the version; another version may have another length
    const version = (ahead: number) => `\x010${PROTOCOL_VERSION + ahead}`;
    const requestOf = (bytes: string) => type(guest, request.replace(version(0), bytes));
    expect((await requestOf(version(-1))).lines).toEqual(['otheré\x03']);
    expect((await requestOf(`${version(1)}00`)).lines).toEqual(['otheré\x03']);
    expect((await requestOf(`${version(0)}00`)).lines).toEqual(['malformedé\x03']);
  });
});

/** The editor in a few words: characters left and right of the cursor, and the lines before. */
class Model {
  left: string[] = [];
  right: string[] = [];
  /** A character found no room. */
  #isCut = false;
  #history: string[] = [];
  #recalled = 0;

  press(key: string): void {
    const { left, right } = this;
    if (key === BACKSPACE) left.pop();
    else if (key === DELETE) right.shift();
    else if (key === CTRL_U) this.#set('');
    else if (key === LEFT) right.unshift(...left.splice(-1));
    else if (key === RIGHT) left.push(...right.splice(0, 1));
    else if (key === HOME) right.unshift(...left.splice(0));
    else if (key === END) left.push(...right.splice(0));
    else if (key === UP) this.#recall(-1);
    else if (key === DOWN) this.#recall(1);
    else if (Buffer.byteLength(this.line() + key) <= MAX_PROMPT_BYTES) left.push(key);
    else this.#isCut = true;
  }

  line(): string {
    return [...this.left, ...this.right].join('');
  }

  /** What arrives: the line, `long` before it where something of it is missing. */
  end(): { line: string; arrived: string } {
    const line = this.line();
    const arrived = `${this.#isCut ? 'long' : ''}${line}`;
    if (line !== this.#history.at(-1)) this.#history.push(line);
    const bytes = () => Buffer.byteLength(`${this.#history.join('\0')}\0`);
    while (bytes() >= HISTORY_BYTES) this.#history.shift();
    this.#recalled = this.#history.length;
    this.#set('');
    return { line, arrived };
  }

  #recall(step: number): void {
    const at = this.#recalled + step;
    if (at < 0 || at > this.#history.length) return;
    this.#recalled = at;
    this.#set(this.#history[at] ?? '');
  }

  #set(line: string): void {
    this.left = [...line];
    this.right = [];
    this.#isCut = false;
  }
}

/** guest/console/history.ts */
const HISTORY_BYTES = 4096;

test('lines: whatever keys are pressed, release and checked', async () => {
  const movements = [UP, UP, DOWN, RIGHT, LEFT, LEFT, HOME, END, BACKSPACE, DELETE, CTRL_U];
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'é', '€', '😀', ' ', '\t') },
    { weight: 2, arbitrary: fc.constantFrom(...movements) },
  );
  for (const checked of [false, true]) {
    const guest = await start('process', { app: 'lines', checked });
    await guest.waitFor('ready\n');
    const model = new Model();
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 60 }), async (keys) => {
        const all = [...keys, HOME, DELETE, '.']; // something at least
        for (const pressed of all) model.press(pressed);
        const { line, arrived } = model.end();
        const { lines, shown } = await type(guest, all.join('') + CR);
        expect(lines).toEqual([arrived]);
        expect(shown).toEqual([line.replaceAll('\t', ' ').trimEnd()]);
      }),
      { numRuns: 500, endOnFailure: true },
    );
    expect((await guest.end(EOT)).code).toBe(0);
  }
});
