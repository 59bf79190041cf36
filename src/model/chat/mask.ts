/**
 * Which letters of a rendered conversation are the template's and which are a message's: messages
 * are rendered in letters of their own, which nobody else has. What is found in plain letters then
 * is the template's, and only that may become special tokens.
 */
import type { ChatTemplate, Message } from './render.ts';

/** The private use area of the basic plane: letters that mean nothing (Unicode 23.5). */
const FIRST_MASK = 0xe000;
const LAST_MASK = 0xf8ff;

export interface MaskedText {
  /** The conversation, the messages' letters masked. */
  text: string;
  /** A part of it in plain letters. */
  unmask(text: string): string;
}

/** What a template looks for in messages, and so has to find in plain letters. */
interface Mark {
  text: string;
  isAnswer: boolean;
}

/**
 * Renders a conversation with its messages masked; in plain letters it is what the template makes
 * of the messages as they are. control: pieces that no user's text may become; special: these and
 * other pieces that are cut out of texts. Throws where a template works on the letters themselves.
 */
export function renderMasked(
  template: ChatTemplate,
  messages: Message[],
  control: readonly string[],
  special: readonly string[],
): MaskedText {
  const exact = template.render(messages);
  const mask = new Mask(special, [template.source, exact, ...messages.map((m) => m.content)]);
  const attempt = (marks: Mark[]): string | undefined => {
    const masked = messages.map(({ role, content }) => {
      const plain = marks.filter(({ isAnswer }) => isAnswer === (role === 'assistant'));
      const texts = plain.map(({ text }) => text);
      return { role, content: mask.apply(content, texts) };
    });
    try {
      const text = template.render(masked);
      return mask.remove(text) === exact ? text : undefined;
    } catch {
      return undefined; // it missed a mark, and says so
    }
  };
  const unmask = (text: string) => mask.remove(text);
  const whole = attempt([]);
  if (whole !== undefined) return { text: whole, unmask };

  // Something that is said matters to the template, such as `</think>`: what, and as little of it
  // as will do?
  const present = (isAnswer: boolean): Mark[] => {
    const said = messages.filter(({ role }) => (role === 'assistant') === isAnswer);
    const marks = template.literals.filter((mark) => mark.trim() !== '');
    return marks
      .filter((mark) => said.some(({ content }) => content.includes(mark)))
      .map((text) => ({ text, isAnswer }));
  };
  const answers = present(true);
  let marks = attempt(answers) !== undefined ? answers : [...present(false), ...answers];
  for (const mark of marks) {
    const fewer = marks.filter((other) => other !== mark);
    if (attempt(fewer) !== undefined) marks = fewer;
  }
  const text = attempt(marks);
  if (text === undefined) {
    throw new Error('it changes letters of what is said, so that they cannot be told from its own');
  }
  const fatal = marks.find(
    ({ text, isAnswer }) => !isAnswer && control.some((piece) => overlap(piece, text)),
  );
  if (fatal) {
    throw new Error(`a message has ${JSON.stringify(fatal.text)}, which it takes for its own mark`);
  }
  return { text, unmask };
}

/** Whether a text can be part of a piece, or have one in it. */
function overlap(piece: string, text: string): boolean {
  return piece.includes(text) || text.includes(piece);
}

class Mask {
  readonly #masks = new Map<string, string>();
  readonly #letters = new Map<string, string>();

  /**
   * Masks the letters (UTF-16 code units) of these pieces, all but white space, which templates
   * trim. The masks are letters that occur in none of the texts.
   */
  constructor(pieces: readonly string[], texts: string[]) {
    const taken = new Set(texts.flatMap((text) => text.match(/[\ue000-\uf8ff]/g) ?? []));
    let next = FIRST_MASK;
    for (const letter of new Set(pieces.flatMap((piece) => piece.split('')))) {
      if (/\s/.test(letter)) continue;
      while (taken.has(String.fromCharCode(next))) next++;
      if (next > LAST_MASK) throw new Error('the messages use all of the private use area');
      const masked = String.fromCharCode(next++);
      this.#masks.set(letter, masked);
      this.#letters.set(masked, letter);
    }
  }

  /** The text masked, all but where one of `plain` stands. */
  apply(text: string, plain: string[]): string {
    const isPlain = new Set<number>();
    for (const mark of plain) {
      for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
        for (let i = 0; i < mark.length; i++) isPlain.add(at + i);
      }
    }
    const letters = text.split('');
    return letters.map((l, i) => (isPlain.has(i) ? l : (this.#masks.get(l) ?? l))).join('');
  }

  remove(text: string): string {
    return text.replace(/[\ue000-\uf8ff]/g, (masked) => this.#letters.get(masked) ?? masked);
  }
}
