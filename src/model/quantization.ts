import type { TensorType } from './model.ts';

/** How many values a block of a type holds and how many bytes it takes (ggml's type table). */
export const blockLayouts: Record<TensorType, { values: number; bytes: number }> = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q8_0: { values: 32, bytes: 34 }, // f16 d, i8[32]:              x = d·q
  Q4_0: { values: 32, bytes: 18 }, // f16 d, u4[32]:              x = d·(q - 8)
  Q4_1: { values: 32, bytes: 20 }, // f16 d, f16 m, u4[32]:       x = d·q + m
  Q6_K: { values: 256, bytes: 210 }, // u4[256], u2[256], i8[16], f16 d: x = d·scale·(q - 32)
};

/** Bytes of a row of `columns` values; columns is a multiple of the type's block. */
export function rowBytes(type: TensorType, columns: number): number {
  const { values, bytes } = blockLayouts[type];
  return (columns / values) * bytes;
}

/**
 * Values of raw blocks, exactly as ggml defines them (all arithmetic below is exact or rounds once to f32).
 * raw: whole blocks; out: at least as many values as they hold. Returns how many were written.
 */
export function dequantize(type: TensorType, raw: Uint8Array, out: Float32Array): number {
  const layout = blockLayouts[type];
  const blocks = raw.length / layout.bytes;
  if (!Number.isInteger(blocks)) {
    throw new RangeError(`dequantize ${type}: ${raw.length} bytes are no whole blocks`);
  }
  if (out.length < blocks * layout.values) {
    throw new RangeError(
      `dequantize ${type}: room for ${out.length} of ${blocks * layout.values} values`,
    );
  }
  dequantizers[type](raw, out, blocks);
  return blocks * layout.values;
}

/**
 * Index of the first block with a scale, or of the first value, that is infinite or no number; -1 if all are finite. Quants
 * are integers, so only the floats of a block can be damaged in this way.
 */
export function findNonFinite(type: TensorType, raw: Uint8Array): number {
  const { bytes } = blockLayouts[type];
  const { exponentBytes, mask } = exponents[type];
  for (let at = 0, block = 0; at < raw.length; at += bytes, block++) {
    for (const i of exponentBytes) {
      if (type === 'F32' || type === 'BF16') {
        const word = (raw[at + i - 1] | (raw[at + i] << 8)) & mask;
        if (word === mask) return block;
      } else if ((raw[at + i] & mask) === mask) return block;
    }
  }
  return -1;
}

/** Where a block's floats have their exponent, and its bits: all ones mean infinity or no number. */
const exponents: Record<TensorType, { exponentBytes: number[]; mask: number }> = {
  F32: { exponentBytes: [3], mask: 0x7f80 }, // with the byte before
  BF16: { exponentBytes: [1], mask: 0x7f80 },
  F16: { exponentBytes: [1], mask: 0x7c },
  Q8_0: { exponentBytes: [1], mask: 0x7c },
  Q4_0: { exponentBytes: [1], mask: 0x7c },
  Q4_1: { exponentBytes: [1, 3], mask: 0x7c },
  Q6_K: { exponentBytes: [209], mask: 0x7c },
};

type Dequantizer = (raw: Uint8Array, out: Float32Array, blocks: number) => void;

const dequantizers: Record<TensorType, Dequantizer> = {
  F32(raw, out, blocks) {
    new Uint8Array(out.buffer, out.byteOffset, blocks * 4).set(raw); // the host is little endian
  },
  F16(raw, out, blocks) {
    for (let i = 0; i < blocks; i++) out[i] = halfAt(raw, 2 * i);
  },
  BF16(raw, out, blocks) {
    const bits = new Uint32Array(out.buffer, out.byteOffset, blocks);
    for (let i = 0; i < blocks; i++) bits[i] = (raw[2 * i] << 16) | (raw[2 * i + 1] << 24);
  },
  Q8_0(raw, out, blocks) {
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 34, o += 32) {
      const d = halfAt(raw, at);
      for (let i = 0; i < 32; i++) out[o + i] = d * ((raw[at + 2 + i] << 24) >> 24);
    }
  },
  Q4_0(raw, out, blocks) {
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 18, o += 32) {
      const d = halfAt(raw, at);
      for (let i = 0; i < 16; i++) {
        out[o + i] = d * ((raw[at + 2 + i] & 15) - 8);
        out[o + 16 + i] = d * ((raw[at + 2 + i] >> 4) - 8);
      }
    }
  },
  Q4_1(raw, out, blocks) {
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 20, o += 32) {
      const d = halfAt(raw, at);
      const m = halfAt(raw, at + 2);
      for (let i = 0; i < 16; i++) {
        out[o + i] = d * (raw[at + 4 + i] & 15) + m;
        out[o + 16 + i] = d * (raw[at + 4 + i] >> 4) + m;
      }
    }
  },
  Q6_K(raw, out, blocks) {
    for (let b = 0, at = 0, o = 0; b < blocks; b++, at += 210, o += 256) {
      const d = halfAt(raw, at + 208);
      // Two halves of 128 values; each has 64 bytes of low nibbles, 32 of high bit pairs, 8 scales of 16 values.
      for (let half = 0; half < 2; half++) {
        const low = at + 64 * half;
        const high = at + 128 + 32 * half;
        const scale = at + 192 + 8 * half;
        for (let i = 0; i < 128; i++) {
          const quarter = i >> 5; // nibbles of bytes 0-31, 32-63 (low), then the same bytes' high nibbles
          const nibble = (raw[low + (i & 63)] >> (i < 64 ? 0 : 4)) & 15;
          const pair = (raw[high + (i & 31)] >> (2 * quarter)) & 3;
          const s = (raw[scale + (i >> 4)] << 24) >> 24;
          out[o + 128 * half + i] = d * s * ((nibble | (pair << 4)) - 32);
        }
      }
    }
  },
};

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
