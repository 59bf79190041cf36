/** One question to a guest, its answer printed: what `run`, `boot -p` and `demo` share. */
import type { Answer, Guest } from '../console/guest.ts';
import type { Settings } from '../console/settings.ts';
import { createTextStream, tokensPerSecond } from './terminal.ts';
import { placeSteps } from './timeline.ts';

/** Asks, streams the answer to stdout unless it is silent, and ends it with a line end. */
export async function askOnce(
  guest: Guest,
  prompt: string,
  settings: Settings,
  silent = false,
): Promise<Answer> {
  const output = createTextStream(process.stdout);
  const onBytes = silent ? undefined : output.write;
  const answer = await guest.ask(prompt, settings, { onBytes });
  if (!silent) {
    output.end();
    if (!answer.text.endsWith('\n')) process.stdout.write('\n');
  }
  requireAnswer(answer);
  return answer;
}

/** Throws where the guest could not even begin. */
export function requireAnswer({ report }: Answer): void {
  if (report.stop === 'promptTooLong') {
    throw new Error('the prompt is too long for the context; a larger -c makes room');
  }
  if (report.stop === 'malformedRequest') {
    throw new Error(
      'there is nothing to continue: the prompt is empty, and this model has no start token',
    );
  }
}

/** What --json prints: 64-bit values as text, since JSON's readers keep 53 bits. */
export function answerAsJson(
  answer: Answer,
  settings: Settings,
  guest: Guest,
  facts: Record<string, unknown>,
): string {
  const { report } = answer;
  const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;
  const milliseconds = (nanos: bigint) => Number(nanos) / 1e6;
  const fields = {
    text: answer.text,
    ...facts,
    seed: settings.seed.toString(),
    stop: report.stop,
    promptTokens: report.promptTokens,
    generatedTokens: report.generatedTokens,
    contextUsed: report.contextUsed,
    promptMilliseconds: milliseconds(report.promptNanos),
    generateMilliseconds: milliseconds(report.generateNanos),
    promptTokensPerSecond: tokensPerSecond(report.promptTokens, report.promptNanos),
    generateTokensPerSecond: tokensPerSecond(report.generatedTokens, report.generateNanos),
    tokensHash: hex(report.tokensHash),
    logitsHash: hex(report.logitsHash),
    timeline: placeSteps(guest.timeline, report),
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}
