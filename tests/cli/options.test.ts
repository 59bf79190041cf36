/** Options: each is checked in every command that has it, and means what it means in llama.cpp. */
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { addOptions } from '../../src/cli/options.ts';
import { readLines } from '../../src/cli/prompt.ts';
import { SAMPLING, settingsOf } from '../../src/cli/sampling.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../src/console/settings.ts';

/** What stands for a number in a command's help. */
const NUMBERS = /<(count|counts|positions|t|k|p|f|n|seed|tokens|address|bytes)>/;

describe.each(COMMANDS.map(({ name, load }) => ({ name, load })))('mu $name', ({ load }) => {
  test('takes no number that is none', async () => {
    const command = new Command();
    (await load()).configure(command);
    for (const option of command.options) {
      if (!NUMBERS.test(option.flags)) continue;
      for (const text of ['64k', 'abc', '', '1e', '0x']) {
        expect(() => option.parseArg?.(text, undefined), `${option.flags} ${text}`).toThrow(
          /^Expected /,
        );
      }
    }
  });
});

function settingsFor(...args: string[]): Settings {
  const command = addOptions(new Command(), ...SAMPLING).exitOverride();
  command.parse(args, { from: 'user' });
  return settingsOf(command.opts());
}

test('without options they are the console’s defaults, with a random seed', () => {
  const { seed, ...settings } = settingsFor();
  const { seed: _, ...defaults } = DEFAULT_SETTINGS;
  expect(settings).toEqual(defaults);
  expect(settingsFor().seed).not.toBe(seed);
});

/**
 * `llama-completion --help`, build of Debian's llama.cpp-tools; --repeat-last-n's -1 by llama.cpp's
 * common/arg.cpp.
 */
test.each([
  ['-n 0', { predict: 0 }],
  ['-n -1', { predict: -1 }], // infinity
  ['-n -2', { predict: -2 }], // until the context is filled
  ['--temp 0', { temperature: 0 }],
  ['--top-k 0', { topK: 0 }], // disabled
  ['--top-k -1', { topK: 0 }],
  ['--top-p 1.0', { topP: 1 }], // disabled
  ['--min-p 0', { minP: 0 }], // disabled
  ['--repeat-penalty 1', { repeatPenalty: 1 }], // disabled
  ['--repeat-last-n 0', { repeatLast: 0 }], // disabled
  ['--repeat-last-n -1', { repeatLast: 2 ** 31 - 1 }], // the whole context
  ['-s 7', { seed: 7n }],
  ['--seed 18446744073709551615', { seed: 2n ** 64n - 1n }],
])('as in llama.cpp: %s', (args, expected) => {
  expect(settingsFor(...args.split(' '))).toMatchObject(expected);
});

test('-1 is a random seed', () => {
  expect(settingsFor('--seed', '-1').seed).not.toBe(settingsFor('--seed', '-1').seed);
});

test('the lines of a pipe are its bytes between line ends, however it is cut', async () => {
  const byte = fc.oneof(fc.constantFrom(0x0a, 0x0d), fc.integer({ min: 0, max: 255 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(byte, { maxLength: 20 }), { maxLength: 20 }),
      async (cut) => {
        async function* chunks() {
          for (const piece of cut) yield Uint8Array.from(piece);
        }
        const lines: string[] = [];
        for await (const line of readLines(chunks()))
          lines.push(Buffer.from(line).toString('latin1'));
        const whole = Buffer.from(cut.flat()).toString('latin1').split('\n');
        const last = whole.pop() ?? '';
        const expected = [...whole.map((line) => line.replace(/\r$/, '')), last];
        expect(lines).toEqual(expected.filter((line) => line !== ''));
      },
    ),
  );
});
