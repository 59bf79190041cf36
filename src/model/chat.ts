import { reduceTemplate, type Segments } from './chat/reduce.ts';
import { encodeSegment, type SegmentPart } from './chat/segment.ts';
import type { Model, Tokenizer } from './model.ts';
import { ModelError } from './modelError.ts';
import { oneLine } from './printable.ts';
import type { CompiledTables } from './tokenizer/compile.ts';
import { splitSpecial } from './tokenizer/special.ts';

export interface ChatOptions {
  /** Instead of the template's own system prompt. */
  system?: string;
}

export interface CompiledChat extends CompiledTables {
  /** The three segments, absent where there is no usable template. */
  segments?: {
    first: SegmentPart[];
    answer: SegmentPart[];
    next: SegmentPart[];
    /** White space at a question's ends is left out. */
    trim: boolean;
    /** White space at its start is left out, since a token before it takes it. */
    strips: boolean;
  };
  /** Why there are none. */
  reason?: string;
  /** Bytes of text around a question, at most: the guest needs room for them. */
  textBytes: number;
}

/**
 * Reduces a model's chat template to the fixed segments chat.first, chat.answer and chat.next
 * (reduce.ts says what they are). Without a template, or with one that has no such form,
 * CHAT_TEMPLATE is false and `reason` says why.
 */
export function compileChat(
  model: Pick<Model, 'path' | 'tokenizer' | 'chatTemplate'>,
  { system }: ChatOptions = {},
): CompiledChat {
  const { tokenizer } = model;
  const reduced = tryReduce(model, system);
  if (typeof reduced === 'string') {
    if (system !== undefined) {
      throw new ModelError({
        file: model.path,
        field: 'tokenizer.chat_template',
        found: reduced,
        expected: 'a template that takes a system prompt',
        remedy: 'leave the system prompt out',
      });
    }
    return compileSegments(undefined, reduced);
  }
  const parts = (text: string) => partsOf(tokenizer, text);
  const first = parts(reduced.first);
  if (tokenizer.addBos && tokenizer.bos !== undefined && first[0] !== tokenizer.bos) {
    first.unshift(tokenizer.bos);
  }
  const { trim } = reduced;
  const next = parts(reduced.next);
  const [strips, stripsNext] = [first, next].map((before) => takesSpace(tokenizer, before));
  if (strips !== stripsNext) {
    return compileSegments(undefined, `${UNUSABLE}white space begins later questions alone`);
  }
  return compileSegments({ first, answer: parts(reduced.answer), next, trim, strips });
}

/** Why a template cannot be used; undefined where it can. tokenizer: as far as it is known. */
export function reasonAgainst(chatTemplate: string, tokenizer?: Tokenizer): string | undefined {
  const known = tokenizer ?? { pieces: [] };
  const reduced = tryReduce({ tokenizer: known, chatTemplate });
  return typeof reduced === 'string' ? reduced.replace(UNUSABLE, '') : undefined;
}

const UNUSABLE = 'the chat template cannot be used: ';

/** The segments as texts, or why there are none. */
function tryReduce(
  {
    tokenizer,
    chatTemplate,
  }: { tokenizer: Pick<Tokenizer, 'pieces' | 'bos' | 'eos'>; chatTemplate?: string },
  system?: string,
): Segments | string {
  if (chatTemplate === undefined) return 'the model has no chat template';
  const text = (token?: number) =>
    token === undefined ? '' : Buffer.from(tokenizer.pieces[token], 'latin1').toString('utf8');
  const variables = { bos_token: text(tokenizer.bos), eos_token: text(tokenizer.eos) };
  try {
    return reduceTemplate(chatTemplate, variables, system);
  } catch (error) {
    const { message } = error as Error;
    const isForDate = message.includes('not a function') && chatTemplate.includes('strftime_now');
    const why = isForDate ? 'it calls strftime_now for the date, which an image has not' : message;
    return UNUSABLE + oneLine(why);
  }
}

/** Whether what follows loses white space at its start. */
function takesSpace({ stripsAfter }: Tokenizer, before: SegmentPart[]): boolean {
  const last = before.at(-1);
  return typeof last === 'number' && stripsAfter.includes(last);
}

function partsOf(tokenizer: Tokenizer, text: string): SegmentPart[] {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return splitSpecial(tokenizer, bytes).map((part) =>
    typeof part === 'number' ? part : Buffer.from(part, 'latin1'),
  );
}

function compileSegments(segments: CompiledChat['segments'], reason?: string): CompiledChat {
  const section = (name: 'first' | 'answer' | 'next') => ({
    name: `chat.${name}`,
    bytes: encodeSegment(segments?.[name] ?? []),
  });
  return {
    sections: [section('first'), section('answer'), section('next')],
    constants: {
      CHAT_TEMPLATE: segments !== undefined,
      CHAT_TRIM: segments?.trim ?? false,
      CHAT_STRIPS: segments?.strips ?? false,
    },
    segments,
    reason,
    textBytes: segments
      ? Math.max(textBytes(segments.first), textBytes(segments.next)) + textBytes(segments.answer)
      : 0,
  };
}

function textBytes(parts: SegmentPart[]): number {
  return parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 0 : part.length), 0);
}
