import { checkChoices, usesDate } from './chat/choices.ts';
import { DEFAULT_DATE } from './chat/date.ts';
import { renderMasked } from './chat/mask.ts';
import { reduceTemplate } from './chat/reduce.ts';
import { type ChatChoices, ChatTemplate, type Message } from './chat/render.ts';
import { encodeSegment, type SegmentPart } from './chat/segment.ts';
import { type HostChat, hostChatOf, tokenTexts } from './chat/write.ts';
import type { Model, Tokenizer } from './model.ts';
import { ModelError } from './modelError.ts';
import { oneLine } from './printable.ts';
import type { CompiledTables } from './tokenizer/compile.ts';
import { splitSpecial } from './tokenizer/special.ts';

export interface ChatOptions extends Partial<ChatChoices> {
  /** Instead of the template's own system prompt. */
  system?: string;
}

/**
 * How a model's chat template is followed. `segments`: fixed texts in the pack say all of it.
 * `host`: the host renders each turn; the segments, if there are any, have only the present turn
 * right. Absent: there is no template that could be followed.
 */
export type ChatWay = 'segments' | 'host';

/** What is to be known of a model's template once its pack is written. */
export interface ChatFacts {
  way: ChatWay;
  /** Why not by segments alone. */
  reason?: string;
  /** The pack has segments: the present turn at least is made of fixed texts. */
  hasSegments: boolean;
  /** What they were made for. */
  choices: ChatOptions & ChatChoices;
  /** Another date would make another text. */
  usesDate: boolean;
  host: HostChat;
}

export interface CompiledChat extends CompiledTables {
  way?: ChatWay;
  /** Why not by segments alone; or why not at all. */
  reason?: string;
  segments?: {
    first: SegmentPart[];
    answer: SegmentPart[];
    next: SegmentPart[];
    /** White space at a question's ends is left out. */
    trim: boolean;
    /** White space at its start is left out, since a token before it takes it. */
    strips: boolean;
  };
  /** What the host needs to render it. */
  host?: HostChat;
  /** What the segments were made for. */
  choices: ChatOptions & ChatChoices;
  /** Another date would make another text. */
  usesDate: boolean;
  /** Bytes of text around a question, at most: the guest needs room for them. */
  textBytes: number;
}

/**
 * Reduces a model's chat template to the fixed segments chat.first, chat.answer and chat.next
 * (reduce.ts says what they are), and says what they leave to the host. Without a template, or with
 * one that cannot be rendered at all, there is no way, and `reason` says why.
 */
export function compileChat(
  model: Pick<Model, 'path' | 'tokenizer' | 'chatTemplate'>,
  options: ChatOptions = {},
): CompiledChat {
  const choices = { ...options, date: options.date ?? DEFAULT_DATE };
  const followed = follow(model, choices);
  if (followed.way === undefined && (options.system ?? options.thinking) !== undefined) {
    throw new ModelError({
      file: model.path,
      field: 'tokenizer.chat_template',
      found: followed.reason ?? 'nothing',
      expected:
        options.system === undefined
          ? 'a template with a switch for thinking'
          : 'a template that takes a system prompt',
      remedy: 'leave the option out',
    });
  }
  const { segments } = followed;
  const section = (name: 'first' | 'answer' | 'next') => ({
    name: `chat.${name}`,
    bytes: encodeSegment(segments?.[name] ?? []),
  });
  return {
    ...followed,
    choices,
    sections: [section('first'), section('answer'), section('next')],
    constants: {
      CHAT_TEMPLATE: segments !== undefined,
      CHAT_BY_HOST: followed.way === 'host',
      CHAT_TRIM: segments?.trim ?? false,
      CHAT_STRIPS: segments?.strips ?? false,
    },
    textBytes: segments
      ? Math.max(textBytes(segments.first), textBytes(segments.next)) + textBytes(segments.answer)
      : 0,
  };
}

/** Undefined where there is no template, or none that could be followed. */
export function chatFactsOf(chat: CompiledChat): ChatFacts | undefined {
  const { way, reason, segments, choices, usesDate, host } = chat;
  if (way === undefined || host === undefined) return undefined;
  return { way, reason, hasSegments: segments !== undefined, choices, usesDate, host };
}

/** Why a template cannot be used; undefined where it can. tokenizer: as far as it is known. */
export function reasonAgainst(chatTemplate: string, tokenizer?: Tokenizer): string | undefined {
  const { way, reason } = follow(
    { tokenizer: tokenizer ?? NO_TOKENIZER, chatTemplate },
    { date: DEFAULT_DATE },
  );
  return way === undefined ? reason?.replace(UNUSABLE, '') : undefined;
}

const UNUSABLE = 'the chat template cannot be used: ';

/** A template's words can be looked at before the vocabulary is read. */
const NO_TOKENIZER = { pieces: [], types: new Uint8Array(), stripsAfter: [], addBos: false };

type VocabularyOfChat = Pick<Tokenizer, 'pieces' | 'types' | 'stripsAfter' | 'addBos'> &
  Partial<Pick<Tokenizer, 'bos' | 'eos'>>;

type Followed = Pick<CompiledChat, 'way' | 'reason' | 'segments' | 'host' | 'usesDate'>;

function follow(
  { tokenizer, chatTemplate }: { tokenizer: VocabularyOfChat; chatTemplate?: string },
  choices: ChatOptions & ChatChoices,
): Followed {
  if (chatTemplate === undefined)
    return { reason: 'the model has no chat template', usesDate: false };
  try {
    const { system } = choices;
    const tokens = tokenTexts(tokenizer);
    const template = new ChatTemplate(chatTemplate, tokens, choices);
    checkChoices(template, system);
    const host = hostChatOf(chatTemplate, tokenizer);
    const made = { host, usesDate: usesDate(template, system) };
    try {
      const { beyond, ...texts } = reduceTemplate(template, system);
      const segments = compileSegments(tokenizer, texts);
      return { ...made, segments, way: beyond ? 'host' : 'segments', reason: beyond };
    } catch (error) {
      tryHost(template, host, system);
      return { ...made, way: 'host', reason: oneLine((error as Error).message) };
    }
  } catch (error) {
    return { reason: UNUSABLE + oneLine((error as Error).message), usesDate: false };
  }
}

/** Throws where not even the host can render it. */
function tryHost(template: ChatTemplate, host: HostChat, system?: string): void {
  const opening: Message[] = system === undefined ? [] : [{ role: 'system', content: system }];
  const said: Message[] = [
    { role: 'user', content: 'Why?' },
    { role: 'assistant', content: 'Because.' },
    { role: 'user', content: '<Why?>' },
  ];
  const control = host.control.map(([piece]) => piece);
  for (const turns of [1, 3]) {
    const text = renderMasked(template, [...opening, ...said.slice(0, turns)], control, control);
    if (!text.unmask(text.text).includes('Why?')) throw new Error('it leaves out what is said');
  }
}

function compileSegments(
  tokenizer: VocabularyOfChat,
  { trim, ...texts }: { first: string; answer: string; next: string; trim: boolean },
): CompiledChat['segments'] {
  const parts = (text: string) => partsOf(tokenizer, text);
  const first = parts(texts.first);
  if (tokenizer.addBos && tokenizer.bos !== undefined && first[0] !== tokenizer.bos) {
    first.unshift(tokenizer.bos);
  }
  const next = parts(texts.next);
  const [strips, stripsNext] = [first, next].map((before) => takesSpace(tokenizer, before));
  if (strips !== stripsNext) throw new Error('white space begins later questions alone');
  return { first, answer: parts(texts.answer), next, trim, strips };
}

/** Whether what follows loses white space at its start. */
function takesSpace({ stripsAfter }: VocabularyOfChat, before: SegmentPart[]): boolean {
  const last = before.at(-1);
  return typeof last === 'number' && stripsAfter.includes(last);
}

function partsOf(tokenizer: VocabularyOfChat, text: string): SegmentPart[] {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return splitSpecial(tokenizer, bytes).map((part) =>
    typeof part === 'number' ? part : Buffer.from(part, 'latin1'),
  );
}

function textBytes(parts: SegmentPart[]): number {
  return parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 0 : part.length), 0);
}
