/**
 * The pack's header, as far as a guest looks at it (docs/pack-format.md). Here is the definition;
 * the guest has the same in guest/engine/weights.ts, and tests/pack/shared.test.ts holds them
 * equal.
 */

/** Begins a pack; a zero and the version follow. */
export const PACK_MAGIC = 'mupack';
export const PACK_VERSION = 4;

/** Its file beside a program, where there is one. */
export const PACK_FILE = 'model.pack';

export const HEADER_BYTES = 64;
/** Where the id of its constants stands, a u64. */
export const ID_OFFSET = 8;

/** The first eight bytes as the guest reads them: one word, little endian. */
export const PACK_WORD =
  [...PACK_MAGIC].reduceRight((word, letter) => (word << 8n) | BigInt(letter.charCodeAt(0)), 0n) |
  (BigInt(PACK_VERSION) << 56n);
