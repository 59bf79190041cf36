/**
 * A conversation with a guest, turn by turn: the guest sets a question between fixed texts, or the
 * host renders all that was said with the model's own template and sends that.
 */
import type { Answer, AskOptions, Guest } from '../console/guest.ts';
import type { Settings } from '../console/settings.ts';
import type { ChatChoices } from '../model/chat/render.ts';
import type { Said } from '../model/chat/write.ts';
import type { ChatFacts } from '../model/chat.ts';
import type { ModelFacts } from '../stacks/prepare.ts';

export interface Conversation {
  ask(text: Uint8Array, settings: Settings, options?: AskOptions): Promise<Answer>;
  /** The next question begins a new one. */
  forget(): void;
}

/** What was asked for; what is absent is as the pack has it. */
export interface ChatRequest {
  system?: string;
  thinking?: boolean;
  date?: string;
  /** A full context goes on without the older half of what was said. */
  ctxShift?: boolean;
}

/** What was said cannot be put into the model's template. */
export class TemplateError extends Error {}

/** What the console of an image does without, where that is anything. */
export function describeLimits({ way, reason, hasSegments }: ChatFacts): string | undefined {
  if (way === 'segments') return undefined;
  const lacks = hasSegments
    ? 'earlier answers stay as they were said'
    : 'what is typed is continued as bare text';
  return `mu renders this chat template for each turn (${reason}); at an image's own console ${lacks}`;
}

/** Here and now, YYYY-MM-DD. */
export function today(): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

/** Throws where the model's template does not know what was asked for. */
export async function startConversation(
  guest: Guest,
  { name, chat }: ModelFacts,
  { raw }: Settings,
  request: ChatRequest = {},
): Promise<Conversation> {
  const { system, thinking } = request;
  if (!chat || raw) {
    const option = system !== undefined ? '--system' : thinking !== undefined && '--thinking';
    if (option) {
      const why = raw ? 'with --raw there is none' : `${name} has none`;
      throw new Error(`${option} is for a chat template, and ${why}`);
    }
    return new FixedConversation(guest);
  }
  const { choices } = chat;
  const asked = {
    ...{ system: system ?? choices.system, thinking: thinking ?? choices.thinking },
    date: request.date ?? choices.date,
  };
  const isOther = asked.system !== choices.system || asked.thinking !== choices.thinking;
  const isOtherDay = chat.usesDate && asked.date !== choices.date;
  if (chat.way === 'segments' && !isOther && !isOtherDay) return new FixedConversation(guest);
  // Imported late: most templates need no host.
  const { checkConversation } = await import('../model/chat/write.ts');
  try {
    checkConversation(chat.host, asked.system, asked);
  } catch (error) {
    throw new Error(`${name}: the chat template: ${(error as Error).message}`);
  }
  return new RenderedConversation(guest, chat, { ...asked, ctxShift: request.ctxShift });
}

class FixedConversation implements Conversation {
  readonly #guest: Guest;
  #isNew = false;

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  ask(text: Uint8Array, settings: Settings, options?: AskOptions): Promise<Answer> {
    const forget = settings.forget || this.#isNew;
    this.#isNew = false;
    return this.#guest.ask(text, { ...settings, forget }, options);
  }

  forget(): void {
    this.#isNew = true;
  }
}

class RenderedConversation implements Conversation {
  readonly #guest: Guest;
  readonly #chat: ChatFacts;
  readonly #choices: ChatChoices;
  readonly #opening: Said[];
  readonly #ctxShift: boolean;
  #said: Said[] = [];

  constructor(
    guest: Guest,
    chat: ChatFacts,
    { system, ctxShift, ...choices }: ChatRequest & ChatChoices,
  ) {
    this.#guest = guest;
    this.#chat = chat;
    this.#choices = choices;
    this.#opening = system === undefined ? [] : [{ role: 'system', content: Buffer.from(system) }];
    this.#ctxShift = ctxShift ?? false;
  }

  async ask(text: Uint8Array, settings: Settings, options?: AskOptions): Promise<Answer> {
    if (settings.forget) this.forget();
    for (;;) {
      const said: Said[] = [...this.#said, { role: 'user', content: text }];
      const segment = await this.#write([...this.#opening, ...said]);
      // Of what the guest has it keeps what stays the same: nothing need be forgotten.
      const how = { ...settings, segments: true, forget: false };
      const answer = await this.#guest.ask(segment, how, options);
      const { stop } = answer.report;
      if (stop === 'promptTooLong' && this.#ctxShift && this.#said.length > 0) {
        this.#leaveOut();
        continue;
      }
      if (stop !== 'promptTooLong' && stop !== 'malformedRequest') {
        this.#said = [...said, { role: 'assistant', content: answer.bytes }];
      }
      return answer;
    }
  }

  forget(): void {
    this.#said = [];
  }

  /** The older half of the turns. */
  #leaveOut(): void {
    const turns = this.#said.length / 2;
    this.#said = this.#said.slice(2 * Math.ceil(turns / 2));
  }

  async #write(said: Said[]): Promise<Uint8Array> {
    const { writeConversation } = await import('../model/chat/write.ts');
    const { encodeSegment } = await import('../model/chat/segment.ts');
    try {
      return encodeSegment(writeConversation(this.#chat.host, said, this.#choices));
    } catch (error) {
      throw new TemplateError(`the chat template: ${(error as Error).message}`);
    }
  }
}
