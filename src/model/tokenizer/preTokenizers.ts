/** How a byte-level BPE vocabulary cuts a text into words before it merges bytes. */
export interface PreTokenizer {
  /**
   * Regular expressions, applied one after the other: each cuts every part that the ones before
   * left into its matches and what lies between them. Syntax: regularExpression.ts.
   */
  phases: string[];
  /** Texts begin with BOS unless the file says otherwise. */
  addBos?: boolean;
  /** A word that is itself a piece is taken whole. */
  ignoreMerges?: boolean;
}

/** Radford et al. 2019, the tokenizer of GPT-2: contractions, letters, digits, others, space. */
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

// What Llama 3 and its successors are made of: one expression, alternatives in this order.
const contraction = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
const word = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const others = String.raw` ?[^\s\p{L}\p{N}]+`;
const spaces = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3 = [contraction, word, String.raw`\p{N}{1,3}`, `${others}[\\r\\n]*`, spaces].join('|');
const qwen2 = [contraction, word, String.raw`\p{N}`, `${others}[\\r\\n]*`, spaces].join('|');

/**
 * OpenAI's o200k and its successors: words with one case or one change from capitals to small
 * letters. This is the models' own rule. llama.cpp has "any letter but a-z" for a capital, which
 * cuts the same words in English and others elsewhere.
 */
const capital = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const small = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const casedWord = (ending: string) =>
  [`${capital}*${small}+`, `${capital}+${small}*`]
    .map((letters) => String.raw`[^\r\n\p{L}\p{N}]?${letters}${ending}`)
    .join('|');
const casedTail = String.raw`${others}[\r\n/]*|${spaces}`;
const withContraction = casedWord(`${contraction}?`);
const gpt4o = [withContraction, String.raw`\p{N}{1,3}`, casedTail].join('|');
const tekken = [casedWord(''), String.raw`\p{N}`, casedTail].join('|');

/**
 * DeepSeek LLM: alphabetic letters as its tokenizer.json lists them, mostly \p{Lu}, \p{Ll} and
 * \p{Lt}.
 */
const deepseekLetters =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴ' +
  'ᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗ' +
  'Ａ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃';
const deepseekLlm = [
  String.raw`[\r\n]`,
  String.raw`\s?[${deepseekLetters}]+`,
  String.raw`\s?[!-/:-~！-／：-～‘-‟　-。]+`,
  String.raw`\s+$`,
  `[一-龥ࠀ-一가-퟿]+`,
  String.raw`\p{N}+`,
];
/** DeepSeek 3: letters go with their marks, and with a sign of ASCII before them. */
const signedWord = String.raw`[!-/:-@\[-\u0060{-~][A-Za-z]+`;
const markedWord = String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`;
const signs = String.raw` ?[\p{P}\p{S}]+`;
const chineseJapanese = String.raw`[一-龥\u3040-ヿ]+`;
const deepseek3 = (tail: string) => [
  String.raw`\p{N}{1,3}`,
  chineseJapanese,
  `${signedWord}|${markedWord}|${signs}${tail}`,
];
/** Llama 3's, but runs of white space are cut into 512, 256 … 4, 2 and 1. */
const powersOfTwo = [512, 256, 128, 64, 32, 16, 8, 4, '1,2']
  .map((count) => String.raw`\s{${count}}(?!\S)`)
  .join('|');
/** Bloom: words by what does not end one. */
const bloom = String.raw` ?[^(\s|.,!?…。，、।۔،)]+`;

interface Rule extends PreTokenizer {
  /** What tokenizer.ggml.pre calls it, with spaces between. */
  names: string;
}

/**
 * Every rule that is understood, with the names of models that have it. Source of names and rules:
 * llama.cpp's llama-vocab.cpp, llm_tokenizer_bpe and llama_vocab::impl::load.
 */
const rules: readonly Rule[] = [
  {
    names: 'llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano',
    phases: [llama3],
    addBos: true,
    ignoreMerges: true,
  },
  { names: 'smaug-bpe dbrx chatglm-bpe', phases: [llama3] },
  { names: 'glm4 glm5', phases: [llama3], ignoreMerges: true },
  {
    names: 'jais-2',
    phases: [llama3.replace(String.raw`\s+(?!\S)|\s+`, String.raw`${powersOfTwo}|\s`)],
  },
  {
    names: 'qwen2 deepseek-r1-qwen megrez kormo f2llmv2 hunyuan stablelm2 solar-open grok-2',
    phases: [qwen2],
  },
  {
    names: 'qwen35',
    phases: [
      qwen2
        .replaceAll(String.raw`\p{L}+`, String.raw`[\p{L}\p{M}]+`)
        .replace(others, String.raw` ?[^\s\p{L}\p{M}\p{N}]+`),
    ],
  },
  { names: 'laguna', phases: [String.raw`[^\n]+|[\n]+`, qwen2] },
  { names: 'ufakzeka', phases: [qwen2.replace(`${contraction}|`, '')] },
  {
    names: 'seed-coder',
    phases: [
      [contraction, word, String.raw`\p{N}`, String.raw` ?[^\s\p{L}\p{N}\r\n]+`, spaces].join('|'),
    ],
  },
  {
    names: 'bailingmoe bailingmoe2 llada-moe',
    phases: [qwen2.replace(String.raw`\s*[\r\n]+`, String.raw`\s*[\r\n]`)],
  },
  {
    names: 'minicpm5',
    phases: [String.raw`\p{N}{1,3}`, llama3.replace('{1,3}', '+')],
    ignoreMerges: true,
  },
  {
    names: 'exaone-moe',
    phases: [
      [
        contraction,
        String.raw`[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+`,
        String.raw`\p{N}`,
        String.raw`${others}[\r\n/]?`,
        String.raw`\s*[\r\n]|\s+(?!\S)|\s+`,
      ].join('|'),
    ],
  },
  { names: 'gpt-4o llama4 kanana2 talkie minimax-m2', phases: [gpt4o] },
  { names: 'granite-embed-multi-97m', phases: [gpt4o], ignoreMerges: true },
  { names: 'tekken', phases: [tekken], addBos: true, ignoreMerges: true },
  {
    names: 'youtu',
    phases: [
      `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|${chineseJapanese}`,
      gpt4o.replace('{1,3}', ''),
    ],
    ignoreMerges: true,
  },
  {
    names: 'gpt-2 phi-2 mpt olmo exaone4 jais mellum modern-bert gigachat a.x-4.0 granite-docling',
    phases: [gpt2],
  },
  { names: 'trillion jina-es jina-de jina-v2-es jina-v2-de', phases: [gpt2] },
  {
    names: 'smollm starcoder refact command-r codeshell exaone minerva-7b mellum2',
    phases: [String.raw`\p{N}`, gpt2],
  },
  {
    names: 'falcon',
    phases: [String.raw`[\p{P}$+<=>^~|\u0060]+`, gpt2, '[0-9][0-9][0-9]'],
  },
  { names: 'deepseek-llm', phases: deepseekLlm },
  {
    names: 'deepseek-coder',
    phases: [
      String.raw`[\r\n]`,
      String.raw`\s?\p{L}+`,
      String.raw`\s?\p{P}+`,
      `[一-龥ࠀ-一가-퟿]+`,
      String.raw`\p{N}`,
    ],
  },
  { names: 'deepseek-v3 hunyuan-dense joyai-llm hy_v4', phases: deepseek3(`[\\r\\n]*|${spaces}`) },
  {
    names: 'spark2_5',
    phases: [...deepseek3(String.raw`|[\r\n]|\s+(?!\S)|\s+`), String.raw`\p{N}`],
  },
  { names: 'bloom poro-chat gpt3-finnish', phases: [bloom] },
  { names: 'viking', phases: [bloom, String.raw`\p{N}`] },
  {
    names: 'chameleon',
    phases: [
      '<sentinel:[0-9]+>',
      'IMGIMG[A-I]{1,4}Z',
      String.raw`[\t\n]|    |  `,
      String.raw`\p{N}`,
      String.raw`[\p{P}!-/:-@\[-\u0060{-~]`,
      gpt2,
    ],
    addBos: true,
  },
  {
    names: 'default',
    phases: [String.raw`[\p{P}$+<=>^~|]+`, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
  },
];

/** Each rule under each of its names. */
export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map(
  rules.flatMap((rule) => rule.names.split(' ').map((name) => [name, rule] as const)),
);

const RAW_TEXT = 'it merges characters, not bytes';
const PROGRAM = 'its rule is a program, not an expression';
const LOOKAHEAD = 'its rule looks ahead further than a character';
const SEPARATOR = 'texts end with a separator, as encoders want it';

/** Names that exist and are not understood, and what it would take. */
export const otherPreTokenizers: Readonly<Record<string, string>> = {
  gemma4: RAW_TEXT,
  'granite-embed-multi-311m': RAW_TEXT,
  'sarvam-moe': RAW_TEXT,
  whitespace: RAW_TEXT,
  'kimi-k2': PROGRAM,
  afmoe: PROGRAM,
  superbpe: LOOKAHEAD,
  tiny_aya: LOOKAHEAD,
  cohere2moe: LOOKAHEAD,
  'roberta-bpe': SEPARATOR,
  'jina-v1-en': SEPARATOR,
  'jina-v2-code': SEPARATOR,
};
