/**
 * A person at the appliance's console, and when its start had come how far: on each kind of
 * machine.
 */
import { expect, test } from 'vitest';
import { placeSteps } from '../../src/cli/timeline.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import {
  answerTo,
  LINUX_TIMEOUT,
  linuxVariants,
  metalVariants,
  pcVariants,
  processVariant,
  type,
  withGuest,
} from './guests.ts';
import { hasStories260K, NO_STORIES, stories260K } from './sharedModels.ts';

const variants = [processVariant(undefined, true, 2), pcVariants[0], metalVariants[0]];

/** An answer ends where it is full: emulated machines take a second for ten tokens. */
const CONTEXT = 32;
/** For a conversation, kernels of one kind will do. */
const atConsole = variants.map((variant) => ({ ...variant, cpu: 'portable' as const }));

/** What a line has by default: guest/engine/settings.ts. */
const settings = { ...DEFAULT_SETTINGS, seed: 42n };

for (const variant of atConsole) {
  const missing = variant.missing || (hasStories260K ? '' : NO_STORIES);
  test.skipIf(missing)(
    `a person at the console: ${variant.name}${missing}`,
    () =>
      withGuest({ ...stories260K, context: CONTEXT }, variant, async (guest) => {
        const typed = await answerTo(guest, 'Onec\b\bce upon\r');
        expect(await type(guest, '/reset\r')).toBe('/reset\nThe conversation is forgotten.\n');
        const { text, report } = await guest.ask('Once upon', settings);
        expect(typed.replace(/\n\[.*\]$/, '')).toBe(text);

        const rate = (tokens: number, nanos: bigint) =>
          `${tokens} tokens, ${((BigInt(tokens) * 10_000_000_000n) / nanos / 10n).toString()}.`;
        const stats = await type(guest, '/stats \r');
        const used = report.contextUsed;
        expect(stats).toContain(`context  ${used} tokens used, ${CONTEXT - used} left\n`);
        expect(stats).toContain(`prompt   ${rate(report.promptTokens, report.promptNanos)}`);
        expect(stats).toContain(`answer   ${rate(report.generatedTokens, report.generateNanos)}`);
        expect(stats).toMatch(/memory {3}model pack \d+\.\d MiB, KV cache \d+\.\d MiB\n/);
        expect(stats).toMatch(new RegExp(`cores    ${variant.cores}, variant portable\n$`));

        expect(await type(guest, '/help\r')).toMatch(/\/reset .*\n\/stats .*\n\/poweroff .*\n/);
        expect(await type(guest, '/fly\r')).toMatch(
          /^\/fly\nThere is no such command.*\/help\.\n$/,
        );
        expect(await type(guest, '/stats\r')).toBe(stats.replace('/stats ', '/stats'));

        await type(guest, '/reset\r');
        const stopped = await answerTo(guest, 'Once upon\r\x03');
        expect(stopped).not.toBe('');
        expect(stopped.length).toBeLessThan(text.length / 2);
        expect(text.startsWith(stopped)).toBe(true);

        await type(guest, '/reset\r');
        const slashed = await answerTo(guest, '//Once\r');
        const asked = await guest.ask('/Once', { ...settings, forget: true });
        expect(slashed.replace(/\n\[.*\]$/, '')).toBe(asked.text);
        expect((await guest.ask('/reset', { ...settings, forget: true })).report.promptTokens) //
          .toBeGreaterThan(0);

        guest.transport.write(Buffer.from('/poweroff\r'));
        expect(await guest.ended).toBe(0);
        expect(guest.saidGoodbye).toBe(true);
      }),
    LINUX_TIMEOUT,
  );
}

const STEPS = [
  ...(['started', 'reset', 'entry', 'memoryReady', 'packMapped', 'coresUp', 'ready'] as const),
  ...(['firstPromptToken', 'firstToken', 'lastToken', 'exited'] as const),
];

for (const variant of [...variants, linuxVariants[0]]) {
  const isLinux = variant === linuxVariants[0];
  const missing = variant.missing || (hasStories260K ? '' : NO_STORIES);
  test.skipIf(missing)(
    `its start, step by step: ${variant.name}${missing}`,
    () =>
      withGuest(stories260K, variant, async (guest) => {
        const { report } = await guest.ask('Once', { ...settings, predict: 5 });
        guest.transport.write(Buffer.from('Once upon\r\x04')); // EOT ends an answer too
        expect(await guest.ended).toBe(0);
        const steps = placeSteps(guest.timeline, report);
        const unknown = variant.on === 'process' ? ['reset'] : [];
        expect(STEPS.filter((step) => steps[step] === undefined)).toEqual(unknown);
        for (const times of [steps, steps.sinceEntry]) {
          const known = STEPS.map((step) => times[step]).filter((at) => at !== undefined);
          expect(known).toEqual([...known].sort((a, b) => a - b));
          // A small Linux's clock ticks every few milliseconds where it has no better one.
          if (!isLinux) expect(new Set(known).size).toBe(known.length);
        }
      }),
    LINUX_TIMEOUT,
  );
}
