/**
 * Sizes that the engine (guest/engine, guest/kernels) is built on and that the host plans with.
 * Here is the definition; tests/pack/shared.test.ts holds the guest's own equal.
 */

/** Tokens that go through a layer together: a matrix is read once for them all. */
export const MICRO_BATCH = 32;

/** Columns of a line of 8-bit activations, and of a group in it that shares a scale. */
export const LINE_COLUMNS = 32;
export const GROUP_COLUMNS = 16;

/** Tokens whose lines lie side by side: a panel. */
export const PANEL_TOKENS = 8;

/** Positions of a chunk of the KV cache. */
export const KV_CHUNK = 64;

/**
 * How keys and values are cached, by llama.cpp's names: as halves; or in 8 bits, KV_GROUP values of
 * a head sharing a scale, a half.
 */
export const CACHE_TYPES = ['f16', 'q8'] as const;
export type CacheType = (typeof CACHE_TYPES)[number];
export const KV_GROUP = 16;

/** A layer's matrices, in the order of the guest's tables MATRIX_OFFSETS and MATRIX_TYPES. */
export const ROLES = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Bytes of a prompt that there is room for, for each position of the context. A longer one is
 * refused.
 */
export const PROMPT_BYTES = 8;
