/** A conversation as the model's own template writes it: what the host sends for a turn. */
import { PieceType, type Tokenizer } from '../model.ts';
import { isSpecial, splitAt } from '../tokenizer/special.ts';
import { bytesOf, textOf } from './bytes.ts';
import { checkChoices } from './choices.ts';
import { renderMasked } from './mask.ts';
import { type ChatChoices, ChatTemplate, type Message, type TokenTexts } from './render.ts';
import type { SegmentPart } from './segment.ts';

/** All that it takes, so that an image can carry it. */
export interface HostChat {
  template: string;
  tokens: TokenTexts;
  /** A token before everything, unless the template begins with it. */
  start?: number;
  /** Pieces that the template may write, with their tokens: control tokens and unknown ones … */
  control: [piece: string, token: number][];
  /** … and user-defined ones, which the tokenizer cuts out of every text. */
  userDefined: [piece: string, token: number][];
  /** Tokens that take the white space after them away. */
  strips: number[];
}

/** What is said, byte for byte. */
export interface Said {
  role: Message['role'];
  content: Uint8Array;
}

/** What the host needs of a model. Pieces that the template cannot write are left out. */
export function hostChatOf(
  template: string,
  tokenizer: Pick<Tokenizer, 'pieces' | 'types' | 'stripsAfter' | 'addBos' | 'bos' | 'eos'>,
): HostChat {
  const tokens = tokenTexts(tokenizer);
  // Roles and the model's own tokens are what a template may put together with its own words.
  const words = [template, 'system user assistant', ...Object.values(tokens)].join('\n');
  const canWrite = (piece: string) =>
    (piece.match(/\p{L}+/gu) ?? []).every((word) => words.includes(word));
  const special = [...tokenizer.pieces.entries()]
    .filter(([token, piece]) => piece !== '' && isSpecial(tokenizer.types[token]))
    .map(([token, piece]) => ({ token, piece: pieceText(piece) }))
    .filter(({ piece }) => /\S/.test(piece) && canWrite(piece));
  const pairs = (isUser: boolean): HostChat['control'] =>
    special
      .filter(({ token }) => (tokenizer.types[token] === PieceType.userDefined) === isUser)
      .map(({ piece, token }) => [piece, token]);
  return {
    template,
    tokens,
    start: tokenizer.addBos ? tokenizer.bos : undefined,
    control: pairs(false),
    userDefined: pairs(true),
    strips: tokenizer.stripsAfter.filter((strip) => special.some(({ token }) => token === strip)),
  };
}

/** The model's start and end tokens, as a template names them. */
export function tokenTexts({
  pieces,
  bos,
  eos,
}: Pick<Tokenizer, 'pieces' | 'bos' | 'eos'>): TokenTexts {
  const text = (token?: number) => (token === undefined ? '' : pieceText(pieces[token]));
  return { bos_token: text(bos), eos_token: text(eos) };
}

/** Throws where the template cannot be rendered, or does not know what was asked for. */
export function checkConversation(
  chat: HostChat,
  system: string | undefined,
  choices: ChatChoices,
): void {
  checkChoices(new ChatTemplate(chat.template, chat.tokens, choices), system);
}

/**
 * The whole conversation, up to where the next answer begins. Special tokens come from the
 * template's own text alone. Throws what the template raises.
 */
export function writeConversation(
  chat: HostChat,
  said: Said[],
  choices: ChatChoices,
): SegmentPart[] {
  const template = new ChatTemplate(chat.template, chat.tokens, choices);
  const messages = said.map(({ role, content }) => ({ role, content: textOf(content) }));
  const control = chat.control.map(([piece]) => piece);
  const special = [...control, ...chat.userDefined.map(([piece]) => piece)];
  const { text, unmask } = renderMasked(template, messages, control, special);
  const ids = new Map([...chat.userDefined, ...chat.control]);
  const parts = splitAt(ids, chat.strips, text).map((part) =>
    typeof part === 'number' ? part : bytesOf(unmask(part)),
  );
  if (chat.start !== undefined && parts[0] !== chat.start) parts.unshift(chat.start);
  return parts;
}

function pieceText(piece: string): string {
  return Buffer.from(piece, 'latin1').toString('utf8');
}
