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
const contraction = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`;
/** What Llama 3 and its successors share after their rule for digits. */
const tail = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const llama3 = String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|${tail}`;
const qwen2 = String.raw`${contraction}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|${tail}`;

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

const digitsOneByOne = [String.raw`\p{N}`, gpt2];

/** Every pre-tokenizer that is understood, by its name in GGUF's tokenizer.ggml.pre. */
export const preTokenizers: Record<string, PreTokenizer> = {
  'gpt-2': { phases: [gpt2] },
  smollm: { phases: digitsOneByOne },
  starcoder: { phases: digitsOneByOne },
  refact: { phases: digitsOneByOne },
  'command-r': { phases: digitsOneByOne },
  'llama-bpe': { phases: [llama3], addBos: true, ignoreMerges: true },
  qwen2: { phases: [qwen2] },
  'deepseek-llm': { phases: deepseekLlm },
  default: {
    phases: [String.raw`[\p{P}$+<=>^~|]+`, gpt2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
  },
};
