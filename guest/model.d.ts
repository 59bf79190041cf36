/**
 * Constants of the model that the guest is compiled for. The host makes them
 * (src/pack/constants.ts); this file is what `tsc` sees of them. Offsets count bytes from the start
 * of the pack.
 */
// Shape
export declare const DIM: i32; // width of the residual stream
export declare const FFN_DIM: i32; // width inside the feed-forward part
export declare const LAYERS: i32;
export declare const HEADS: i32;
export declare const KV_HEADS: i32;
export declare const HEAD_DIM: i32;
export declare const ROPE_DIM: i32; // leading values of each head that rotate
export declare const VOCABULARY: i32;
export declare const CONTEXT: i32; // positions in the KV cache
// whether the older half of a full context makes room (mu's --ctx-shift)
export declare const CONTEXT_SHIFT: bool;
export declare const KV_BITS: i32; // of a cached key's or value's number: 16, a half, or 8
export declare const MICRO_BATCH: i32; // tokens that go through a layer together, at most
export declare const NORM_EPSILON: f32;
export declare const ROPE_TABLES: i32; // 2: layers with a window have another
// [ROPE_TABLES][ROPE_DIM / 2], radians per position
export declare const ROPE_FREQUENCIES: FixedArray<f64>;
export declare const ROPE_MAGNITUDES: FixedArray<f32>; // of cosines and sines: 1, but for YaRN

// Parts that few families have (src/model/model.ts): off where the value does nothing
export declare const HAS_LAYER_ROPES: bool; // not all layers have table 0
export declare const LAYER_ROPES: FixedArray<i32>; // [LAYERS], -1: RoPE leaves the layer as it is
export declare const HAS_WINDOWS: bool;
export declare const LAYER_WINDOWS: FixedArray<i32>; // [LAYERS], positions that a layer sees
export declare const LAYER_NORMS: i32; // of the residual stream, 2 or 4 a layer
export declare const HAS_PRE_NORMS: bool; // attention and feed-forward part begin with one
export declare const HAS_POST_NORMS: bool; // they end with one
export declare const QUERY_NORM_DIM: i32; // 0, HEAD_DIM, or QUERY_DIM where heads are one row
export declare const KEY_NORM_DIM: i32;
export declare const TURNS_FIRST: bool; // norms of queries and keys come after RoPE
export declare const IS_GELU: bool;
export declare const EMBEDDING_SCALE: f32; // 1 where there is none; so are the next two
export declare const RESIDUAL_SCALE: f32;
export declare const LOGIT_SCALE: f32;
export declare const SCORE_SCALE: f32; // 1 / √HEAD_DIM, mostly
export declare const SCORE_CAP: f32; // 0: none
export declare const LOGIT_CAP: f32;
export declare const HAS_TEMPERATURE: bool;
export declare const TEMPERATURE_LENGTH: i32; // positions that share a factor of queries
export declare const TEMPERATURES: FixedArray<f32>; // [CONTEXT / TEMPERATURE_LENGTH]

// Sizes that follow from the shape
export declare const QUERY_DIM: i32; // HEADS × HEAD_DIM
export declare const KV_DIM: i32; // KV_HEADS × HEAD_DIM
export declare const QUERY_ROW: i32; // rows are strides: widths rounded up to 16, whole tiles
export declare const KV_ROW: i32;
export declare const FFN_ROW: i32;
export declare const HEAD_ROW: i32; // HEAD_DIM rounded up to 16: stride of a cached value
export declare const INNER_DIM: i32; // the larger of QUERY_DIM and FFN_DIM, rounded up to 32
export declare const VOCABULARY_ROWS: i32; // VOCABULARY rounded up to 16

// Weights: one entry per layer and role (guest/engine/weights.ts), then the two ends
export declare const MATRIX_OFFSETS: FixedArray<usize>; // [LAYERS × 7]
// [LAYERS × 7], a TileFormat (guest/kernels/tileFormat.ts)
export declare const MATRIX_TYPES: FixedArray<i32>;
export declare const EMBEDDING_OFFSET: usize;
export declare const EMBEDDING_TYPE: i32;
export declare const OUTPUT_OFFSET: usize; // = EMBEDDING_OFFSET when tied
export declare const OUTPUT_TYPE: i32;
export declare const WEIGHTS_NORMS: usize; // f32[LAYERS × LAYER_NORMS + 1][DIM]
// f32[LAYERS][QUERY_NORM_DIM + KEY_NORM_DIM]
export declare const WEIGHTS_QUERY_KEY_NORMS: usize;
export declare const HAS_QKV_BIAS: bool; // the family adds biases to queries, keys and values
export declare const WEIGHTS_BIASES: usize; // f32[LAYERS][QUERY_ROW + 2 × KV_ROW], if it does
export declare const TILE_FORMATS: FixedArray<i32>; // that occur: others have no kernels
export declare const USES_FLOATS: bool; // whether any of them has such weights
export declare const USES_4_BITS: bool;
export declare const USES_5_BITS: bool;
export declare const USES_6_BITS: bool;
export declare const USES_8_BITS: bool;

// The pack
export declare const PACK_ID: u64; // also stands in the pack's header
export declare const PACK_BYTES: usize;

// Tokenizer tables (src/model/tokenizer/compile.ts, docs/pack-format.md)
export declare const TOKENIZER_KIND: i32; // 0 byte-level BPE, 1 SentencePiece-style BPE
export declare const TOKENIZER_MAX_TEXT: i32; // bytes of one text to encode
export declare const MAX_PROMPT_BYTES: i32; // bytes of one request's text
export declare const TOKENIZER_TOKENS: i32; // V
export declare const TOKENIZER_PIECE_OFFSETS: usize; // u32[V + 1] into pieceBytes
export declare const TOKENIZER_PIECE_BYTES: usize;
// u32[P + 1], P: the tokens and the pieces that are none
export declare const TOKENIZER_MERGE_START: usize;
export declare const TOKENIZER_MERGES: usize; // {right, merged, rank} u32[3]
export declare const TOKENIZER_BYTE_TOKEN: usize; // u32[256]
export declare const TOKENIZER_CHARACTERS: usize; // {code point, piece} u32[2]
export declare const TOKENIZER_CHARACTER_COUNT: i32;
export declare const TOKENIZER_CLASS_PAGES: usize; // u16[4352]
export declare const TOKENIZER_CLASSES: usize; // u8[pages][256]
export declare const TOKENIZER_CLASS_COUNT: i32;
export declare const TOKENIZER_END_CLASS: i32;
export declare const TOKENIZER_DFA: usize; // u16[states][classes]
export declare const TOKENIZER_PHASES: FixedArray<i32>; // start states, one per regular expression
export declare const TOKENIZER_USER_START: usize; // u32[257]
export declare const TOKENIZER_USER_TOKENS: usize; // u32[TOKENIZER_USER_TOKEN_COUNT]
export declare const TOKENIZER_USER_TOKEN_COUNT: i32;
export declare const TOKENIZER_WHOLE_WORDS: bool; // a word that is a token is not merged
export declare const TOKENIZER_WORD_ORDER: usize; // u32[TOKENIZER_WORD_COUNT]
export declare const TOKENIZER_WORD_COUNT: i32;
export declare const TOKENIZER_TABLE_BYTES: i32; // all tables, only in guest/apps/tokenizer.ts
export declare const TOKENIZER_ADD_BOS: bool;
export declare const TOKENIZER_ADD_SPACE_PREFIX: bool;
export declare const TOKENIZER_STRIP_AFTER_BOS: bool; // no leading space after the start token
export declare const TOKEN_BOS: i32; // -1: none
export declare const TOKEN_END: FixedArray<i32>; // tokens that end an answer

// Chat template segments
export declare const CHAT_TEMPLATE: bool;
export declare const CHAT_BY_HOST: bool; // only the host can follow the model's chat template
export declare const CHAT_TRIM: bool; // white space at a question's ends is left out
export declare const CHAT_STRIPS: bool; // at its start, since a token before it takes it (Phi-3)
export declare const CHAT_FIRST: usize;
export declare const CHAT_ANSWER: usize;
export declare const CHAT_NEXT: usize;
