import { describe, expect, test } from 'vitest';
import { compileChat, openModel, type SegmentPart } from '../../src/model/index.ts';
import { put, temporaryFolder } from './files.ts';
import { writeGguf } from './ggufWriter.ts';
import { tinyContent } from './tinyGguf.ts';

const folder = temporaryFolder();
const END = 0xffffffff;

/** A tiny model (ChatML's tokens: 1 <|im_start|>, 2 <|im_end|>) with a template. */
async function chatOf(
  template: string | undefined,
  options: { system?: string; addBos?: boolean } = {},
) {
  const content = tinyContent();
  if (template === undefined) delete content.metadata['tokenizer.chat_template'];
  else content.metadata['tokenizer.chat_template'] = { type: 'string', value: template };
  content.metadata['tokenizer.ggml.add_bos_token'] = {
    type: 'bool',
    value: options.addBos === true,
  };
  const model = await openModel(put(folder, 'chat.gguf', writeGguf(content)));
  await model.close();
  return compileChat(model, { system: options.system });
}

const readable = (parts: SegmentPart[]) =>
  parts.map((part) => (typeof part === 'number' ? part : Buffer.from(part).toString()));

async function segmentsOf(template: string, options: { system?: string; addBos?: boolean } = {}) {
  const { segments, reason } = await chatOf(template, options);
  expect(reason).toBeUndefined();
  const { first, answer, next, trim } = segments!;
  return { first: readable(first), answer: readable(answer), next: readable(next), trim };
}

// Templates as models have them.
const smollm2 =
  "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful AI " +
  "assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + " +
  "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
const mistral =
  "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}" +
  "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}" +
  "{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}";
const llama3 =
  "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] " +
  "| trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";
const zephyr =
  "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n" +
  "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n" +
  "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}";

describe('templates become fixed segments', () => {
  test('SmolLM2, with its own system prompt', async () => {
    expect(await segmentsOf(smollm2)).toEqual({
      first: [
        ...[1, 'system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face'],
        ...[2, '\n', 1, 'user\n'],
      ],
      answer: [2, '\n', 1, 'assistant\n'],
      next: [2, '\n', 1, 'user\n'],
      trim: false,
    });
  });

  test('SmolLM2, with another system prompt', async () => {
    const { first } = await segmentsOf(smollm2, { system: 'Be brief.' });
    expect(first).toEqual([1, 'system\nBe brief.', 2, '\n', 1, 'user\n']);
  });

  test('Mistral: the start token is in the template', async () => {
    const segments = {
      first: [1, '[INST] '],
      answer: [' [/INST]'],
      next: [2, '[INST] '],
      trim: false,
    };
    expect(await segmentsOf(mistral)).toEqual(segments);
    expect(await segmentsOf(mistral, { addBos: true })).toEqual(segments);
  });

  test('the start token that only the tokenizer adds', async () => {
    expect((await segmentsOf(zephyr, { addBos: true })).first).toEqual([1, '<|user|>\n']);
  });

  test('Llama 3: what the user says is trimmed', async () => {
    const { next, trim } = await segmentsOf(llama3);
    expect(trim).toBe(true);
    expect(next).toEqual(['<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n']);
  });

  test('Zephyr: the line break after the head of an answer is left to the model', async () => {
    expect((await segmentsOf(zephyr)).answer).toEqual([2, '\n<|assistant|>\n']);
  });
});

test('words of a segment: tokens, text padded to words, the end', async () => {
  const { sections, constants } = await chatOf(mistral);
  expect(constants).toEqual({
    ...{ CHAT_TEMPLATE: true, CHAT_BY_HOST: false, CHAT_TRIM: false, CHAT_STRIPS: false },
  });
  expect(sections.map(({ name }) => name)).toEqual(['chat.first', 'chat.answer', 'chat.next']);
  const bytes = Buffer.from(sections[0].bytes);
  expect(bytes).toHaveLength(4 + 4 + 8 + 4);
  expect(bytes.readUInt32LE(0)).toBe(1);
  expect(bytes.readUInt32LE(4)).toBe(0x80000000 + '[INST] '.length);
  expect(bytes.toString('latin1', 8, 16)).toBe('[INST] \0');
  expect(bytes.readUInt32LE(16)).toBe(END);
});

test('the text around a question, for which the guest needs room, is counted', async () => {
  const system = 'é'.repeat(5000);
  const { textBytes } = await chatOf(smollm2, { system });
  const texts = [`system\n${system}`, '\n', 'user\n', '\n', 'assistant\n'];
  expect(textBytes).toBe(Buffer.byteLength(texts.join('')));
  expect((await chatOf(undefined)).textBytes).toBe(0);
});

test.each([
  [undefined, /no chat template/],
  ['{{ messages', /cannot be used/],
  ["{{ messages[0]['content'] | upper }}", /leaves out what is said/],
  ["{{ raise_exception('no') }}", /the template says: no/],
  ["{{ raise_exception('a\\x1b[31m\\nb\\x9b') }}", /says: a␛\[31m b�$/],
  [
    "{% for m in messages %}{{ loop.index }}: {{ m['content'] }}\n{% endfor %}",
    /made of fixed texts|differently/,
  ],
  ["{{ messages[-1]['content'] }}", /not once|differently/],
  [
    '{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}',
    /runs too long/,
  ],
  ['{% for i in range(1000000000) %}x{% endfor %}', /counts to/],
  [
    "{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    /too long a text/,
  ],
  [`{{ ${'('.repeat(50_000)} }}`, /cannot be used/],
])('%s: no segments, and the reason', async (template, reason) => {
  const chat = await chatOf(template);
  expect(chat.reason).toMatch(reason);
  expect(chat.segments).toBeUndefined();
  expect(chat.constants.CHAT_TEMPLATE).toBe(false);
  for (const { bytes } of chat.sections) expect(Buffer.from(bytes).readUInt32LE()).toBe(END);
});

test('a system prompt that the template cannot take is refused', async () => {
  await expect(chatOf(mistral, { system: 'x' })).rejects.toThrow(/Only user and assistant roles/);
  await expect(chatOf(zephyr, { system: 'x' })).rejects.toThrow(/leaves the system prompt out/);
});
