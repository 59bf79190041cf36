/**
 * How weights are stored: a row for each *weight type* of model files, and a row for each *tile
 * format* of the pack.
 *
 * A weight type has a tile format that holds each of its values exactly; two types may share one.
 * The kernels (guest/kernels) know tile formats only. docs/adding-a-weight-type.md says what a new
 * row takes.
 * Sources: ggml-common.h for blocks of files, docs/pack-format.md for tiles.
 */

/** A form that matrices have in the pack: tiles of 16 rows, each a row of blocks. */
export interface TileFormat {
  /** As in MATRIX_TYPES and in the pack's section table; the guest's enum has the same numbers. */
  number: number;
  /** Bits of a stored weight; over 8: a float. */
  bits: number;
  /** Columns of one block. */
  columns: number;
  /** Bytes that 16 rows of it take. */
  bytes: number;
  /** Bytes that lie before each 256 columns, for 16 rows: floats that all of their blocks share. */
  head: number;
}

/** Columns that share a head. */
const HEAD_COLUMNS = 256;

/** f16[16], f32[16], u8[16] and a vector with 4 columns of 16 rows, in bytes. */
const [HALVES, SINGLES, BYTES, VECTOR] = [32, 64, 16, 64];
/** 32 columns of 4, 5, 6 and 8 bits: nibbles, then what is above them (docs/pack-format.md). */
const BITS4 = 4 * VECTOR;
const BITS5 = BITS4 + VECTOR;
const BITS6 = BITS4 + 2 * VECTOR;
const BITS8 = 8 * VECTOR;

export const tileFormats = {
  F32: { number: 0, bits: 32, columns: 1, bytes: SINGLES, head: 0 },
  F16: { number: 1, bits: 16, columns: 1, bytes: HALVES, head: 0 },
  BF16: { number: 2, bits: 16, columns: 1, bytes: HALVES, head: 0 },
  /** d f16[16]; whole numbers -128 … 127, stored as value + 128 */
  Q8_0: { number: 3, bits: 8, columns: 32, bytes: HALVES + BITS8, head: 0 },
  /** d f16[16]; -8 … 7, stored as value + 8 */
  Q4_0: { number: 4, bits: 4, columns: 32, bytes: HALVES + BITS4, head: 0 },
  /** d f16[16], m f16[16]; 0 … 15 */
  Q4_1: { number: 5, bits: 4, columns: 32, bytes: 2 * HALVES + BITS4, head: 0 },
  /** d f16[16]; -16 … 15, stored as value + 16 */
  Q5_0: { number: 6, bits: 5, columns: 32, bytes: HALVES + BITS5, head: 0 },
  /** d f16[16], m f16[16]; 0 … 31 */
  Q5_1: { number: 7, bits: 5, columns: 32, bytes: 2 * HALVES + BITS5, head: 0 },
  /** head d f16[16], -dmin f16[16]; s u8[16], m u8[16]; 0 … 15 */
  Q4_K: { number: 8, bits: 4, columns: 32, bytes: 2 * BYTES + BITS4, head: 2 * HALVES },
  /** likewise; 0 … 31 */
  Q5_K: { number: 9, bits: 5, columns: 32, bytes: 2 * BYTES + BITS5, head: 2 * HALVES },
  /** head d f16[16]; s i8[2][16], one for 16 columns; -32 … 31, stored as value + 32 */
  Q6_K: { number: 10, bits: 6, columns: 32, bytes: 2 * BYTES + BITS6, head: HALVES },
} as const satisfies Record<string, TileFormat>;

export type TileFormatName = keyof typeof tileFormats;

/** Rows of a tile. */
export const TILE_ROWS = 16;

/** Rows of a matrix in the pack: whole tiles. */
export function paddedRows(rows: number): number {
  return Math.ceil(rows / TILE_ROWS) * TILE_ROWS;
}

/** Bytes of a matrix in the pack. */
export function tiledBytes(format: TileFormatName, rows: number, columns: number): number {
  const { columns: width, bytes, head } = tileFormats[format];
  const heads = head === 0 ? 0 : columns / HEAD_COLUMNS;
  return (paddedRows(rows) / TILE_ROWS) * ((columns / width) * bytes + heads * head);
}

/** A weight type: how GGUF stores numbers. x is a weight, q its whole number in the file. */
export interface WeightType {
  /** ggml's number. */
  number: number;
  /** Values in a block. */
  block: number;
  /** Bytes of a block in the file. */
  bytes: number;
  /** Bits of one value's own number, q or a float. */
  bits: number;
  /** Values that share a scale; 1 where each is a float. */
  group: number;
  /**
   * Bits of the whole number that a group's scale is, times the block's float; 0 where the float is
   * the scale.
   */
  scaleBits: number;
  /**
   * The floats of a block: what can be infinite or no number. A minimum is added to its values; or,
   * where groups have whole numbers, what is taken from them, times another such number.
   */
  floats: readonly BlockFloat[];
  /** What its blocks become in the pack. */
  tile: TileFormatName;
  /**
   * Writes the values of the block at from[at] to out[to] …, each exact or rounded once to f32, as
   * ggml has them.
   */
  decode(from: Uint8Array, at: number, out: Float32Array, to: number): void;
  /** Writes the block at from[at] as row `row` of the tile's blocks from tile[start]. */
  place(from: Uint8Array, at: number, tile: Uint8Array, start: number, row: number): void;
}

interface BlockFloat {
  /** Where it begins in the block. */
  at: number;
  kind: keyof typeof floatKinds;
  means: 'value' | 'scale' | 'minimum';
}

/**
 * Bytes of a float, and the bits of its last two bytes that are its exponent: all ones mean
 * infinity or no number.
 */
const floatKinds = {
  f32: { bytes: 4, exponent: 0x7f80 },
  f16: { bytes: 2, exponent: 0x7c00 },
  bf16: { bytes: 2, exponent: 0x7f80 },
} as const;

const scale = (at: number): BlockFloat => ({ at, kind: 'f16', means: 'scale' });
const minimum = (at: number): BlockFloat => ({ at, kind: 'f16', means: 'minimum' });

/** What all types have whose values are floats. */
function plainFloats(kind: BlockFloat['kind']) {
  const { bytes } = floatKinds[kind];
  const floats: readonly BlockFloat[] = [{ at: 0, kind, means: 'value' }];
  return {
    block: 1,
    bytes,
    bits: 8 * bytes,
    group: 1,
    scaleBits: 0,
    floats,
    place(from: Uint8Array, at: number, tile: Uint8Array, start: number, row: number) {
      for (let i = 0; i < bytes; i++) tile[start + row * bytes + i] = from[at + i];
    },
  };
}

/**
 * What Q4_K and Q5_K have in common: x = d·s·q - dmin·m, with s and m of 6 bits for each 32 values.
 * Both products are exact in f32.
 */
function groupsWithMinimum(tile: 'Q4_K' | 'Q5_K', bits: 4 | 5) {
  const read = (from: Uint8Array, at: number) => {
    readSixBits(from, at + 4);
    readQuantsK(from, at + 16, bits);
  };
  return {
    block: 256,
    bits,
    group: 32,
    scaleBits: 6,
    floats: [scale(0), minimum(2)],
    tile,
    decode(from: Uint8Array, at: number, out: Float32Array, to: number) {
      const d = halfAt(from, at);
      const dmin = halfAt(from, at + 2);
      read(from, at);
      for (let i = 0; i < 256; i++) {
        out[to + i] = d * sixBits[i >> 5] * quants[i] - dmin * sixBits[8 + (i >> 5)];
      }
    },
    place(from: Uint8Array, at: number, to: Uint8Array, start: number, row: number) {
      const { head, bytes } = tileFormats[tile];
      copyHalf(from, at, to, start, row);
      copyHalf(from, at + 2, to, start + HALVES, row);
      to[start + HALVES + 2 * row + 1] ^= 0x80; // its sign
      read(from, at);
      for (let i = 0; i < 8; i++) {
        const block = start + head + i * bytes;
        to[block + row] = sixBits[i];
        to[block + BYTES + row] = sixBits[8 + i];
        placeQuants(32 * i, bits, to, block + 2 * BYTES, row);
      }
    },
  };
}

/** The weight types that this project computes with. */
export const weightTypes = {
  F32: {
    number: 0,
    ...plainFloats('f32'),
    tile: 'F32',
    decode(from, at, out, to) {
      out[to] = singleOf(
        from[at] | (from[at + 1] << 8) | (from[at + 2] << 16) | (from[at + 3] << 24),
      );
    },
  },
  F16: {
    number: 1,
    ...plainFloats('f16'),
    tile: 'F16',
    decode(from, at, out, to) {
      out[to] = halfAt(from, at);
    },
  },
  BF16: {
    number: 30,
    ...plainFloats('bf16'),
    tile: 'BF16',
    decode(from, at, out, to) {
      out[to] = singleOf((from[at] << 16) | (from[at + 1] << 24));
    },
  },
  /** d f16, q i8[32]: x = d·q */
  Q8_0: {
    number: 8,
    block: 32,
    bytes: 34,
    bits: 8,
    group: 32,
    scaleBits: 0,
    floats: [scale(0)],
    tile: 'Q8_0',
    decode(from, at, out, to) {
      const d = halfAt(from, at);
      for (let i = 0; i < 32; i++) out[to + i] = d * signed(from[at + 2 + i]);
    },
    place(from, at, tile, start, row) {
      copyHalf(from, at, tile, start, row);
      // Flipping the sign bit adds 128
      interleave(from, at + 2, tile, start + HALVES, row, 8, 0x80);
    },
  },
  /**
   * d f16, q u4[32]; byte i holds columns i (low) and 16 + i: x = d·(q - 8). The tile keeps the
   * bytes as they are.
   */
  Q4_0: {
    number: 2,
    block: 32,
    bytes: 18,
    bits: 4,
    group: 32,
    scaleBits: 0,
    floats: [scale(0)],
    tile: 'Q4_0',
    decode(from, at, out, to) {
      const d = halfAt(from, at);
      for (let i = 0; i < 16; i++) {
        out[to + i] = d * ((from[at + 2 + i] & 15) - 8);
        out[to + 16 + i] = d * ((from[at + 2 + i] >> 4) - 8);
      }
    },
    place(from, at, tile, start, row) {
      copyHalf(from, at, tile, start, row);
      interleave(from, at + 2, tile, start + HALVES, row, 4, 0);
    },
  },
  /** d f16, m f16, q u4[32] as in Q4_0: x = d·q + m */
  Q4_1: {
    number: 3,
    block: 32,
    bytes: 20,
    bits: 4,
    group: 32,
    scaleBits: 0,
    floats: [scale(0), minimum(2)],
    tile: 'Q4_1',
    decode(from, at, out, to) {
      const d = halfAt(from, at);
      const m = halfAt(from, at + 2);
      for (let i = 0; i < 16; i++) {
        out[to + i] = d * (from[at + 4 + i] & 15) + m;
        out[to + 16 + i] = d * (from[at + 4 + i] >> 4) + m;
      }
    },
    place(from, at, tile, start, row) {
      copyHalf(from, at, tile, start, row);
      copyHalf(from, at + 2, tile, start + HALVES, row);
      interleave(from, at + 4, tile, start + 2 * HALVES, row, 4, 0);
    },
  },
  /** d f16, fifth bits u32, q u5[32] as in Q4_0: x = d·(q - 16) */
  Q5_0: {
    number: 6,
    block: 32,
    bytes: 22,
    bits: 5,
    group: 32,
    scaleBits: 0,
    floats: [scale(0)],
    tile: 'Q5_0',
    decode(from, at, out, to) {
      const d = halfAt(from, at);
      readQuants5(from, at + 2);
      for (let i = 0; i < 32; i++) out[to + i] = d * (quants[i] - 16);
    },
    place(from, at, tile, start, row) {
      copyHalf(from, at, tile, start, row);
      readQuants5(from, at + 2);
      placeQuants(0, 5, tile, start + HALVES, row);
    },
  },
  /** d f16, m f16, fifth bits u32, q u5[32]: x = d·q + m */
  Q5_1: {
    number: 7,
    block: 32,
    bytes: 24,
    bits: 5,
    group: 32,
    scaleBits: 0,
    floats: [scale(0), minimum(2)],
    tile: 'Q5_1',
    decode(from, at, out, to) {
      const d = halfAt(from, at);
      const m = halfAt(from, at + 2);
      readQuants5(from, at + 4);
      for (let i = 0; i < 32; i++) out[to + i] = d * quants[i] + m;
    },
    place(from, at, tile, start, row) {
      copyHalf(from, at, tile, start, row);
      copyHalf(from, at + 2, tile, start + HALVES, row);
      readQuants5(from, at + 4);
      placeQuants(0, 5, tile, start + 2 * HALVES, row);
    },
  },
  /** d f16, dmin f16, s and m u6[8], q u4[256] */
  Q4_K: { number: 12, bytes: 144, ...groupsWithMinimum('Q4_K', 4) },
  /** d f16, dmin f16, s and m u6[8], fifth bits u8[32], q u4[256] */
  Q5_K: { number: 13, bytes: 176, ...groupsWithMinimum('Q5_K', 5) },
  /** low u4[256], high u2[256], s i8[16], d f16: x = d·s·(q - 32), a scale d·s for 16 values */
  Q6_K: {
    number: 14,
    block: 256,
    bytes: 210,
    bits: 6,
    group: 16,
    scaleBits: 8,
    floats: [scale(208)],
    tile: 'Q6_K',
    decode(from, at, out, to) {
      const d = halfAt(from, at + 208);
      readQuants6(from, at);
      for (let i = 0; i < 256; i++) {
        out[to + i] = d * signed(from[at + 192 + (i >> 4)]) * (quants[i] - 32);
      }
    },
    place(from, at, tile, start, row) {
      const { head, bytes } = tileFormats.Q6_K;
      copyHalf(from, at + 208, tile, start, row);
      readQuants6(from, at);
      for (let i = 0; i < 8; i++) {
        const block = start + head + i * bytes;
        tile[block + row] = from[at + 192 + 2 * i];
        tile[block + BYTES + row] = from[at + 192 + 2 * i + 1];
        placeQuants(32 * i, 6, tile, block + 2 * BYTES, row);
      }
    },
  },
} satisfies Record<string, WeightType>;

export type TensorType = keyof typeof weightTypes;

export const tensorTypes = Object.keys(weightTypes) as TensorType[];

/** Names of ggml's other types by number, for messages. */
export const unsupportedTypes: Record<number, string> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** Bytes of a row of `columns` values; columns is a multiple of the type's block. */
export function rowBytes(type: TensorType, columns: number): number {
  const { block, bytes } = weightTypes[type];
  return (columns / block) * bytes;
}

/**
 * Values of raw, which is whole blocks. out: at least as many values as they hold. Returns how many
 * were written.
 */
export function dequantize(type: TensorType, raw: Uint8Array, out: Float32Array): number {
  const { block, bytes, decode } = weightTypes[type];
  const values = (raw.length / bytes) * block;
  if (raw.length % bytes !== 0) {
    throw new RangeError(`dequantize ${type}: ${raw.length} bytes are no whole blocks`);
  }
  if (out.length < values) {
    throw new RangeError(`dequantize ${type}: room for ${out.length} of ${values} values`);
  }
  for (let at = 0, to = 0; to < values; at += bytes, to += block) decode(raw, at, out, to);
  return values;
}

/** Index of the first block with a float that is infinite or no number; -1 if all are finite. */
export function findNonFinite(type: TensorType, raw: Uint8Array): number {
  const { bytes, floats } = weightTypes[type];
  const ends = floats.map(({ at, kind }) => {
    const { bytes, exponent } = floatKinds[kind];
    return { last: at + bytes - 1, exponent };
  });
  for (let at = 0, block = 0; at < raw.length; at += bytes, block++) {
    for (const { last, exponent } of ends) {
      const word = raw[at + last - 1] | (raw[at + last] << 8);
      if ((word & exponent) === exponent) return block;
    }
  }
  return -1;
}

/** Value of the IEEE 754 half (binary16) at bytes[at], little endian. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return halves[bytes[at] | (bytes[at + 1] << 8)];
}

/** All 65,536 halves. */
const halves = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
});

const word = new Int32Array(1);
const single = new Float32Array(word.buffer);

/** The IEEE 754 single (binary32) with these bits. */
function singleOf(bits: number): number {
  word[0] = bits;
  return single[0];
}

/** A byte as i8. */
function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** The half at from[at] becomes lane `row` of the tile's f16[16] at tile[start]. */
function copyHalf(from: Uint8Array, at: number, tile: Uint8Array, start: number, row: number) {
  tile[start + 2 * row] = from[at];
  tile[start + 2 * row + 1] = from[at + 1];
}

/**
 * `count` vectors of 64 bytes from `count` × 4 bytes of a row: byte 4·row + c of vector j is byte
 * 4j + c of the row, with `flip` bits turned.
 */
function interleave(
  from: Uint8Array,
  at: number,
  tile: Uint8Array,
  start: number,
  row: number,
  count: number,
  flip: number,
) {
  for (let j = 0; j < count; j++) {
    const target = start + j * VECTOR + row * 4;
    for (let c = 0; c < 4; c++) tile[target + c] = from[at + j * 4 + c] ^ flip;
  }
}

/** q of a block's values, as the functions below read them. */
const quants = new Uint8Array(256);
/** s, then m, of the eight groups of a block of Q4_K or Q5_K. */
const sixBits = new Uint8Array(16);

/** 32 values: a fifth bit each in u32, then nibbles; byte i holds values i (low) and 16 + i. */
function readQuants5(from: Uint8Array, at: number) {
  for (let i = 0; i < 16; i++) {
    const fifth = (value: number) => ((from[at + (value >> 3)] >> (value & 7)) & 1) << 4;
    quants[i] = (from[at + 4 + i] & 15) | fifth(i);
    quants[16 + i] = (from[at + 4 + i] >> 4) | fifth(16 + i);
  }
}

/**
 * 256 values: 64 share 32 bytes, the first 32 low nibbles, the others high ones. With 5 bits, 32
 * bytes come before: bit g of byte i is the fifth of value 32g + i.
 */
function readQuantsK(from: Uint8Array, at: number, bits: 4 | 5) {
  const nibbles = bits === 5 ? at + 32 : at;
  for (let i = 0; i < 256; i++) {
    const group = i >> 5;
    const byte = from[nibbles + (group >> 1) * 32 + (i & 31)];
    const fifth = bits === 5 ? ((from[at + (i & 31)] >> group) & 1) << 4 : 0;
    quants[i] = (group & 1 ? byte >> 4 : byte & 15) | fifth;
  }
}

/** 256 values: halves of 128 share 64 bytes of low nibbles and 32 of high bit pairs. */
function readQuants6(from: Uint8Array, at: number) {
  for (let i = 0; i < 256; i++) {
    const half = i >> 7;
    // nibbles of bytes 0-31, 32-63 (low), then the same bytes' high nibbles
    const quarter = (i >> 5) & 3;
    const low = from[at + half * 64 + (quarter & 1) * 32 + (i & 31)] >> (quarter >> 1 ? 4 : 0);
    const high = from[at + 128 + half * 32 + (i & 31)] >> (quarter * 2);
    quants[i] = (low & 15) | ((high & 3) << 4);
  }
}

/** Twelve bytes: ggml's get_scale_min_k4. */
function readSixBits(from: Uint8Array, at: number) {
  for (let i = 0; i < 4; i++) {
    const [s, m, both] = [from[at + i], from[at + 4 + i], from[at + 8 + i]];
    sixBits[i] = s & 63;
    sixBits[8 + i] = m & 63;
    sixBits[4 + i] = (both & 15) | ((s >> 6) << 4);
    sixBits[12 + i] = (both >> 4) | ((m >> 6) << 4);
  }
}

/**
 * quants[first …] become 32 columns of `bits` bits of a row of the tile, from tile[start]; what was
 * there is zero.
 */
function placeQuants(first: number, bits: 5 | 6 | 4, tile: Uint8Array, start: number, row: number) {
  for (let c = 0; c < 32; c++) {
    const q = quants[first + c];
    const lane = row * 4 + (c & 3);
    tile[start + ((c >> 2) & 3) * VECTOR + lane] |= c < 16 ? q & 15 : (q & 15) << 4;
    if (bits === 5) tile[start + BITS4 + lane] |= (q >> 4) << (c >> 2);
    if (bits === 6) {
      tile[start + BITS4 + (c >> 4) * VECTOR + lane] |= (q >> 4) << (2 * ((c >> 2) & 3));
    }
  }
}
