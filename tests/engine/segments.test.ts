/** Conversations that the host has written: requests with the flag `segments`. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { encodeSegment, type SegmentPart } from '../../src/model/index.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { LINUX_TIMEOUT } from './guests.ts';

const CONTEXT = 128;
const VOCABULARY = 320;
const [START, END] = [1, 2]; // <|im_start|>, <|im_end|>

const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 8, hashLogits: true };
const whole = { ...settings, segments: true };
const fresh = { ...whole, forget: true };

const text = (said: string): SegmentPart => Buffer.from(said);
const turn = (role: string, said: string) => [START, text(`${role}\n${said}`), END, text('\n')];
const answerHead = [START, text('assistant\n')];

describe('segments in requests', () => {
  const folder = temporaryFolder();
  let guest: Guest;

  beforeAll(async () => {
    const model = put(folder, 'tiny.gguf', makeTinyGguf({ context: CONTEXT }));
    const { constants, path: pack } = await preparePack({ model });
    const program = { machine: 'process', app: 'chat', cpu: 'portable', checked: true } as const;
    const { elf } = await compileGuest({ ...program, constants });
    guest = startProcess({ elf, pack });
  }, LINUX_TIMEOUT);
  afterAll(() => guest.close());

  const ask = async (parts: SegmentPart[], how = whole) =>
    guest.ask(encodeSegment(parts), how).then(({ text, report }) => ({ text, ...report }));

  test('one turn is what the template in the pack makes of it', async () => {
    const { text, report } = await guest.ask('the quick fox', { ...settings, forget: true });
    const sent = await ask([...turn('user', 'the quick fox'), ...answerHead], fresh);
    expect(sent).toMatchObject({ text, promptTokens: report.promptTokens });
    expect([sent.tokensHash, sent.logitsHash]).toEqual([report.tokensHash, report.logitsHash]);
  });

  test('of a longer conversation only what is new is evaluated, with the same logits', async () => {
    const one = [...turn('user', 'the lazy dog'), ...answerHead];
    const first = await ask(one, fresh);
    const two = [...turn('user', 'the lazy dog'), ...turn('assistant', 'because')];
    const three = [...two, ...turn('user', 'the sky'), ...answerHead];
    const later = await ask(three);
    const alone = await ask(three, fresh);
    expect(later.promptTokens).toBe(alone.promptTokens - first.promptTokens);
    expect(later.logitsHash).toBe(alone.logitsHash);
    expect(later.contextUsed).toBe(alone.contextUsed);
    // Another beginning: only the very first token can be kept.
    const other = await ask([...turn('system', 'the sun'), ...three]);
    expect(other.promptTokens).toBe(other.contextUsed - other.generatedTokens - 1);
    // The same once more, and a shorter one: the last token's logits are needed anew.
    expect(await ask(one, fresh)).toMatchObject({ logitsHash: first.logitsHash });
    expect(await ask(one)).toMatchObject({ promptTokens: 1, logitsHash: first.logitsHash });
  });

  test('text that names a special token is text, whichever way it comes', async () => {
    const said = 'the<|im_end|>fox<|im_start|>';
    const bytes = Buffer.byteLength(said);
    const plain = (await guest.ask(said, { ...settings, forget: true })).report;
    const sent = await ask([...turn('user', said), ...answerHead], fresh);
    expect(sent.logitsHash).toBe(plain.logitsHash);
    const empty = await ask([...turn('user', ''), ...answerHead], fresh);
    const special = await ask([START, text('user\nthe'), END, text('fox'), START], fresh);
    expect(sent.promptTokens - empty.promptTokens).toBeGreaterThan(bytes / 3);
    expect(special.promptTokens).toBeLessThan(sent.promptTokens - 10);
  });

  test('too many tokens are refused, and the conversation is forgotten', async () => {
    const sent = await ask([START, ...turn('user', ' because'.repeat(CONTEXT))], fresh);
    expect(sent).toMatchObject({ stop: 'promptTooLong', promptTokens: 0, contextUsed: 0 });
  });

  const END_WORD = [0xff, 0xff, 0xff, 0xff];
  test.each<[what: string, bytes: number[]]>([
    ['nothing', []],
    ['no end', [1, 0, 0, 0]],
    ['half a word', [1, 0]],
    ['bytes after the end', [1, 0, 0, 0, ...END_WORD, 0]],
    ['words after the end', [1, 0, 0, 0, ...END_WORD, 1, 0, 0, 0]],
    ['a token that there is not', [VOCABULARY & 0xff, VOCABULARY >> 8, 0, 0, ...END_WORD]],
    ['a text beyond the end', [5, 0, 0, 0x80, 97, 98, 99, 100, ...END_WORD].slice(0, 8)],
    ['a text that takes the end with it', [8, 0, 0, 0x80, 97, 98, 99, 100, ...END_WORD]],
    ['the longest text', [0xfe, 0xff, 0xff, 0xff, ...END_WORD]],
  ])('%s is malformed, and leaves an empty conversation', async (_, bytes) => {
    await ask([START, text('user\nthe')], fresh);
    const { report } = await guest.ask(Uint8Array.from(bytes), whole);
    expect(report).toMatchObject({ stop: 'malformedRequest', promptTokens: 0 });
    expect(report.contextUsed).toBe(0);
  });

  test('an empty conversation is nothing to go on', async () => {
    expect(await ask([], fresh)).toMatchObject({ stop: 'malformedRequest', contextUsed: 0 });
  });

  test('whatever bytes come, it answers or refuses', async () => {
    const words = fc.array(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(VOCABULARY + 2).map(word)),
      { maxLength: 12 },
    );
    const request = fc.tuple(words, fc.boolean()).map(([list, isEnded]) => {
      return Buffer.concat([...list, ...(isEnded ? [Uint8Array.from(END_WORD)] : [])]);
    });
    await fc.assert(
      fc.asyncProperty(request, async (bytes) => {
        const { report } = await guest.ask(bytes, { ...fresh, predict: 1 });
        expect(['limit', 'end', 'malformedRequest']).toContain(report.stop);
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

function word(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >> 8, 0, 0);
}
