/** What a person or program gives arrives whole, and what a model says drives no terminal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { tinyContent } from '../model/tinyGguf.ts';
import { answerTo, LINUX_TIMEOUT } from './guests.ts';

const CONTEXT = 128;
const settings = { ...DEFAULT_SETTINGS, seed: 42n, forget: true };

/** What people say is trimmed, as in Llama 3's template. */
const TRIMS =
  "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] | trim + '<|im_end|>\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** Phi-3's, whose special tokens take the white space after them (llama-vocab.cpp, RSTRIP). */
const PHI3 =
  "{% for m in messages %}{{ ('<|im_start|>\n' if m['role'] == 'user' else '<|endoftext|>\n') + m['content'] + '<|im_end|>\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|endoftext|>\n' }}{% endif %}";

/**
 * python3 -c 'print(*[hex(c) for c in range(0x110000) if chr(c).isspace()])': Python 3.11, Unicode
 * 14
 */
const PYTHON_SPACES = [
  ...[0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001],
  ...[0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029],
  ...[0x202f, 0x205f, 0x3000],
];

describe('text', () => {
  const folder = temporaryFolder();
  let guest: Guest;

  beforeAll(async () => {
    const { metadata, tensors } = tinyContent({ vocab: 420, context: CONTEXT });
    metadata['tokenizer.chat_template'] = { type: 'string', value: TRIMS };
    const model = put(folder, 'trims.gguf', writeGguf({ metadata, tensors }));
    const { constants, path: pack } = await preparePack({ model });
    const program = { machine: 'process', app: 'chat', cpu: 'portable', checked: true } as const;
    const { elf } = await compileGuest({ ...program, constants });
    guest = startProcess({ elf, pack });
  }, LINUX_TIMEOUT);
  afterAll(() => guest.close());

  const hashOf = async (text: string | Uint8Array) => {
    const asked = await guest.ask(text, { ...settings, predict: 1, hashLogits: true });
    return asked.report.logitsHash;
  };

  test('a template’s trim takes off what Python’s str.strip does', async () => {
    const plain = await hashOf('the quick');
    for (const code of PYTHON_SPACES) {
      const space = String.fromCodePoint(code);
      expect(await hashOf(`${space}\n${space}the quick${space}${space}`), space).toBe(plain);
    }
    const all = String.fromCodePoint(...PYTHON_SPACES);
    expect(await hashOf(`${all}the quick${all}`)).toBe(plain);
    expect(await hashOf(all)).toBe(await hashOf(''));
  });

  test('and nothing else', async () => {
    const plain = await hashOf('the quick');
    const others = [
      0, 0x1b, 0x7f, 0x84, 0x86, 0xad, 0x180e, 0x200b, 0x202a, 0x2060, 0x3001, 0xfeff,
    ];
    for (const character of others.map((code) => String.fromCodePoint(code))) {
      expect(await hashOf(`${character}the quick`)).not.toBe(plain);
      expect(await hashOf(`the quick${character}`)).not.toBe(plain);
    }
    // within the text; and bytes that only begin or end a white space
    expect(await hashOf('the\u3000quick')).not.toBe(await hashOf('the quick'));
    for (const bytes of [[0xe3, 0x80], [0xc2], [0x80, 0x80], [0xe2, 0x80]]) {
      expect(await hashOf(Buffer.from([...Buffer.from('the quick'), ...bytes]))).not.toBe(plain);
      expect(await hashOf(Buffer.from([...bytes, ...Buffer.from('the quick')]))).not.toBe(plain);
    }
  });

  test('a prompt fills the context, and one that is too long in bytes is refused', async () => {
    const raw = { ...settings, raw: true, predict: 0 };
    const full = ' because'.repeat(CONTEXT); // a token each
    expect((await guest.ask(full, raw)).report).toMatchObject({
      promptTokens: CONTEXT,
      stop: 'limit',
    });
    expect((await guest.ask(`${full}.`, raw)).report).toMatchObject({
      promptTokens: 0,
      stop: 'promptTooLong',
    });
  });

  test('a typed line that is too long is refused, and says so', async () => {
    const said = await answerTo(guest, `${' because'.repeat(CONTEXT)}.\r`);
    expect(said).toBe(`[longer than ${8 * CONTEXT} bytes, so it was not asked]`);
  });

  test('what a model says to a person drives no terminal', async () => {
    await guest.ask('', { ...settings, predict: 0 });
    let controls = 0;
    for (const line of ['one', 'two', 'three', 'four']) {
      await answerTo(guest, '/reset\r');
      const typed = Buffer.from(await answerTo(guest, `${line}\r`), 'latin1');
      const { bytes } = await guest.ask(line, settings);
      const text = Buffer.from(bytes).toString('latin1');
      const plain = text
        .replace(/(?<=\xc2)[\x80-\x9f]/g, '?')
        .replace(/[\0-\x08\x0b-\x1f\x7f]/g, '?');
      for (let i = 0; i < text.length; i++) if (text[i] !== plain[i]) controls++;
      expect(typed.toString('latin1').replace(/\n\[the context is full.*\]$/, '')).toBe(plain);
    }
    expect(controls).toBeGreaterThan(0);
  });
});

test(
  'Phi-3: white space at the start of a question goes with the token before it',
  async () => {
    const { metadata, tensors } = tinyContent({ vocab: 420, context: CONTEXT });
    metadata['general.name'] = { type: 'string', value: 'Phi-3 tiny' };
    metadata['tokenizer.chat_template'] = { type: 'string', value: PHI3 };
    const model = put(temporaryFolder(), 'phi3.gguf', writeGguf({ metadata, tensors }));
    const { constants, path: pack } = await preparePack({ model });
    const program = { machine: 'process', app: 'chat', cpu: 'portable', checked: true } as const;
    const { elf } = await compileGuest({ ...program, constants });
    const guest = startProcess({ elf, pack });
    try {
      const how = { ...settings, predict: 1, hashLogits: true };
      const ask = async (text: string) => (await guest.ask(text, how)).report;
      const plain = await ask('the quick');
      for (const space of [' ', '\t\n\v\f\r', '   \n ']) {
        expect((await ask(`${space}the quick`)).logitsHash, space).toBe(plain.logitsHash);
      }
      for (const other of ['\x1c', '\u00a0', 'x ']) {
        expect((await ask(`${other}the quick`)).logitsHash).not.toBe(plain.logitsHash);
      }
      expect((await ask('the quick ')).logitsHash).not.toBe(plain.logitsHash);
      expect((await ask(' \n')).promptTokens).toBe((await ask('')).promptTokens);
    } finally {
      await guest.close();
    }
  },
  LINUX_TIMEOUT,
);
