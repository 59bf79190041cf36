/**
 * Chat templates that no fixed texts express: what `mu chat`, `mu run` and `mu boot` send to the
 * guest is what `@huggingface/jinja` renders.
 */
import * as jinja from '@huggingface/jinja';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Guest } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { bytesOf, textOf } from '../../src/model/chat/bytes.ts';
import { encodeSegment, openModel } from '../../src/model/index.ts';
import { splitSpecial } from '../../src/model/tokenizer/special.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { hasQemu, LINUX_TIMEOUT, NO_QEMU, type } from '../engine/guests.ts';
import { put, temporaryFolder } from '../model/files.ts';
import { writeGguf } from '../model/ggufWriter.ts';
import { tinyContent } from '../model/tinyGguf.ts';
import { mu } from './mu.ts';

/** Of earlier answers only the end is kept, and the present one begins with a thought. */
const THINKS =
  "{%- if messages[0].role == 'system' %}{{ '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}{%- endif %}" +
  "{%- for m in messages if m.role != 'system' %}{%- if m.role == 'assistant' %}" +
  "{{ '<|im_start|>assistant\n' + m.content[-6:] | trim + '<|im_end|>\n' }}{%- else %}" +
  "{{ '<|im_start|>user\n' + m.content | trim + ' (' + strftime_now('%d %b %Y') + ')<|im_end|>\n' }}{%- endif %}{%- endfor %}" +
  "{{ '<|im_start|>assistant\n' + ('the fox' if enable_thinking is defined and not enable_thinking else 'then ') }}";

const GREEDY = ['--temp', '0', '-n', '8'];
const NATIVE = [...GREEDY, '--cpu', 'portable', '--date', '2026-02-03'];
const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 8, segments: true, forget: true };

const { Template } = jinja as unknown as {
  Template: new (source: string) => { render(items: Record<string, unknown>): string };
};

/** As a terminal shows answers: what is no UTF-8 as U+FFFD. */
const shown = (answers: string[]) =>
  answers.map((answer) => `${new TextDecoder().decode(bytesOf(answer))}\n`).join('');

type Message = { role: string; content: string };

describe('a template that the host renders', () => {
  const folder = temporaryFolder();
  let model: string;
  let guest: Guest;
  let tokenizer: Awaited<ReturnType<typeof openModel>>['tokenizer'];

  beforeAll(async () => {
    const { metadata, tensors } = tinyContent({ vocab: 420, context: 512 });
    metadata['tokenizer.chat_template'] = { type: 'string', value: THINKS };
    model = put(folder, 'thinks.gguf', writeGguf({ metadata, tensors }));
    const opened = await openModel(model);
    tokenizer = opened.tokenizer;
    await opened.close();
    const { constants, path: pack } = await preparePack({ model });
    const { elf } = await compileGuest({
      machine: 'process',
      app: 'chat',
      cpu: 'portable',
      constants,
    });
    guest = startProcess({ elf, pack });
  }, LINUX_TIMEOUT);
  afterAll(() => guest.close());

  /** The model's answer to what the package renders, its special tokens marked. */
  async function answerTo(
    messages: Message[],
    more: Record<string, unknown> = {},
  ): Promise<string> {
    vi.useFakeTimers({ now: new Date('2026-02-03T12:00:00'), toFake: ['Date'] });
    const text = new Template(THINKS).render({ ...more, messages });
    vi.useRealTimers();
    const parts = splitSpecial(tokenizer, Buffer.from(bytesOf(text)).toString('latin1'));
    const segment = encodeSegment(
      parts.map((part) => (typeof part === 'number' ? part : Buffer.from(part, 'latin1'))),
    );
    return textOf((await guest.ask(segment, settings)).bytes);
  }

  /** The answers to questions in turn, each rendered by the package. */
  async function answersTo(
    questions: string[],
    system?: string,
    more: Record<string, unknown> = {},
  ) {
    const messages: Message[] = system ? [{ role: 'system', content: system }] : [];
    const answers: string[] = [];
    for (const content of questions) {
      messages.push({ role: 'user', content });
      answers.push(await answerTo(messages, more));
      messages.push({ role: 'assistant', content: answers.at(-1) as string });
    }
    return answers;
  }

  const QUESTIONS = ['the quick fox', 'because the sky', ' the lazy dog '];

  test('mu chat, three turns', async () => {
    const args = ['chat', model, ...NATIVE];
    const { stdout, code, stderr } = await mu(args, `${QUESTIONS.join('\n')}\n`);
    expect(code, stderr).toBe(0);
    const answers = await answersTo(QUESTIONS);
    expect(stdout).toBe(shown(answers));
    expect(new Set(answers).size).toBe(answers.length);
  });

  test('mu chat forgets', async () => {
    const args = ['chat', model, ...NATIVE];
    const { stdout } = await mu(args, 'the dog\n/reset\nthe dog\n');
    const [answer] = await answersTo(['the dog']);
    expect(stdout).toBe(shown([answer, answer]));
  });

  test('mu run with a system prompt, and without thoughts', async () => {
    const args = ['run', model, ...NATIVE, '-p', 'the sky'];
    const plain = await mu(args);
    expect(plain.stdout).toBe(shown(await answersTo(['the sky'])));
    const { stdout } = await mu([...args, '--system', 'the sun', '--thinking', 'off']);
    const quiet = await answersTo(['the sky'], 'the sun', { enable_thinking: false });
    expect(stdout).toBe(shown(quiet));
    expect(stdout).not.toBe(plain.stdout);
  });

  test('mu inspect says so', async () => {
    const { stdout } = await mu(['inspect', model]);
    expect(stdout).toMatch(/^chat +rendered by the host each turn: /m);
    expect(stdout).toMatch(/^chat date /m);
  });

  test.skipIf(!hasQemu)(
    `an image: asked with -p and from a pipe by the template${NO_QEMU}`,
    async () => {
      const image = `${folder}/image`;
      const build = ['build', model, '--stack', 'unikernel', '--cpu', 'portable', '-o', image];
      const built = await mu([...build, '--system', 'the sun', '--date', '2026-02-03']);
      expect(built.code, built.stderr).toBe(0);
      expect(built.stderr).toContain('note: mu renders this chat template for each turn');
      const two = QUESTIONS.slice(0, 2);
      const answers = await answersTo(two, 'the sun');
      const piped = await mu(['boot', image, ...GREEDY], `${two.join('\n')}\n`);
      for (const answer of answers) expect(piped.stdout).toContain(shown([answer]));
      const asked = await mu(['boot', image, ...GREEDY, '-p', 'the sky', '--system', 'the moon']);
      const [other] = await answersTo(['the sky'], 'the moon');
      expect(asked.stdout).toBe(shown([other]));
    },
    LINUX_TIMEOUT,
  );

  test('its own console says what it does without, once', async () => {
    const first = await type(guest, 'the fox\r');
    expect(first).toMatch(/^the fox\n\[/);
    expect(await type(guest, 'the dog\r')).not.toContain('\n[earlier');
  });
});

describe('options that a template does not know', () => {
  const folder = temporaryFolder();
  const write = (name: string, template?: string) => {
    const { metadata, tensors } = tinyContent({ vocab: 420, context: 512 });
    if (template === undefined) delete metadata['tokenizer.chat_template'];
    else metadata['tokenizer.chat_template'] = { type: 'string', value: template };
    return put(folder, name, writeGguf({ metadata, tensors }));
  };
  const PLAIN =
    "{% for m in messages if m['role'] != 'system' %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}" +
    "{% endfor %}{{ '<|im_start|>assistant\n' }}";

  test.each([
    ['plain', PLAIN, ['--system', 'x'], /leaves the system prompt out/],
    ['plain', PLAIN, ['--thinking', 'off'], /has no switch for thinking/],
    ['none', undefined, ['--system', 'x'], /--system is for a chat template, and .* has none/],
    ['plain', PLAIN, ['--raw', '--system', 'x'], /--system is for a chat template, and with --raw/],
    ['plain', PLAIN, ['--date', '2026-02-30'], /Expected a day such as/],
    ['plain', PLAIN, ['--thinking', 'maybe'], /Expected on or off/],
  ])('%s', async (name, template, options, message) => {
    const { code, stderr } = await mu([
      'run',
      write(`${name}.gguf`, template),
      ...['--cpu', 'portable', '-p', 'x', ...options],
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
