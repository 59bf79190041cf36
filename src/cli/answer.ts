/** One question to a guest, its answer printed: what `run`, `boot -p` and `demo` share. */
import type { Answer, Guest } from '../console/guest.ts';
import type { Settings } from '../console/settings.ts';
import { PROMPT_BYTES } from '../plan/sizes.ts';
import type { ModelFacts } from '../stacks/prepare.ts';
import { type Conversation, TemplateError } from './conversation.ts';
import {
  asJson,
  createTextStream,
  describeError,
  describeReport,
  EXIT_FAILURE,
  say,
  sayDim,
  tokensPerSecond,
} from './terminal.ts';

/**
 * Asks, streams the answer to stdout unless it is silent, and ends it with a line end. context: the
 * guest's positions.
 */
export async function askOnce(
  conversation: Conversation,
  prompt: Uint8Array,
  settings: Settings,
  context: number,
  silent = false,
): Promise<Answer> {
  const output = createTextStream(process.stdout);
  const onBytes = silent ? undefined : output.write;
  const answer = await conversation.ask(prompt, settings, { onBytes });
  const refusal = describeRefusal(answer, prompt, context);
  if (refusal !== undefined) throw new Error(refusal);
  if (!silent) {
    output.end();
    if (!answer.text.endsWith('\n')) process.stdout.write('\n');
  }
  return answer;
}

/**
 * One line of several, its answer on stdout and how it went on stderr. A line that cannot be asked
 * does not keep the ones after it from being asked; in a pipe the exit code then says that
 * something is missing.
 */
export async function answerLine(
  conversation: Conversation,
  line: Uint8Array,
  settings: Settings,
  context: number,
  signal?: AbortSignal,
): Promise<void> {
  const output = createTextStream(process.stdout);
  const answer = await conversation
    .ask(line, settings, { onBytes: output.write, signal })
    .catch((error) => {
      if (error instanceof TemplateError) return error.message;
      throw error;
    });
  output.end();
  process.stdout.write('\n');
  const refusal = typeof answer === 'string' ? answer : describeRefusal(answer, line, context);
  if (typeof answer !== 'string' && refusal === undefined) sayDim(describeReport(answer.report));
  else if (process.stdin.isTTY) sayDim(`${refusal}; /reset forgets the conversation`);
  else {
    say(describeError(refusal));
    process.exitCode = EXIT_FAILURE;
  }
}

/** Why the guest could not even begin, if it could not. */
function describeRefusal(
  { report }: Answer,
  prompt: Uint8Array,
  context: number,
): string | undefined {
  const most = context * PROMPT_BYTES;
  if (report.stop === 'promptTooLong') {
    const size =
      prompt.length > most ? `: it has ${prompt.length} bytes, and there is room for ${most}` : '';
    const used = report.contextUsed;
    const rest = used > 0 ? `, of which the conversation has ${used}` : '';
    return `the prompt is too long for the context of ${context} positions${rest}${size}; a larger -c makes room (an image gets it from mu build)${used > 0 ? ', or --ctx-shift' : ''}`;
  }
  if (report.stop === 'malformedRequest')
    return 'there is nothing to continue: the prompt is empty, and this model has no start token';
  return undefined;
}

/**
 * Throws where a model's chat template cannot be used and something is asked nevertheless: the
 * model would go on with the bare text, which is no answer. A model that never had one continues
 * text, and people know that.
 */
export function requireTemplate({ name, templateProblem }: ModelFacts, { raw }: Settings): void {
  if (templateProblem === undefined || raw) return;
  throw new Error(
    `${name}: ${templateProblem}; --raw does without it: the model then continues the bare text`,
  );
}

/** What --json prints: 64-bit values as text, since JSON's readers keep 53 bits. */
export async function answerAsJson(
  answer: Answer,
  settings: Settings,
  guest: Guest,
  facts: Record<string, unknown>,
): Promise<string> {
  const { placeSteps } = await import('./timeline.ts');
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
    contextShifts: report.shifts,
    promptMilliseconds: milliseconds(report.promptNanos),
    generateMilliseconds: milliseconds(report.generateNanos),
    promptTokensPerSecond: tokensPerSecond(report.promptTokens, report.promptNanos),
    generateTokensPerSecond: tokensPerSecond(report.generatedTokens, report.generateNanos),
    tokensHash: hex(report.tokensHash),
    logitsHash: hex(report.logitsHash),
    timeline: placeSteps(guest.timeline, report),
  };
  return asJson(fields);
}
