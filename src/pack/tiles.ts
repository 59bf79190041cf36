/**
 * Repacks the matrices of a model file into tiles of 16 rows, the order in which the kernels (guest/kernels/tiles*.ts)
 * read them. GGML's block layouts: ggml-common.h. No weight changes its value.
 */
import { blockLayouts, halfAt, rowBytes, type Tensor, type TensorType } from '../model/index.ts';

export const TILE_ROWS = 16;

/** MatrixType of guest/kernels/matrixType.ts. */
export const matrixTypes: Record<TensorType, number> = {
  F32: 0,
  F16: 1,
  BF16: 2,
  Q8_0: 3,
  Q4_0: 4,
  Q4_1: 5,
  Q6_K: 6,
};

/** What becomes of one of the file's blocks. */
interface Layout {
  /** Bytes that 16 rows of the block take in a tile. */
  tileBytes: number;
  /** Writes the block at from[at] as row `row` of the tile block at to[start]. */
  place(from: Uint8Array, at: number, to: Uint8Array, start: number, row: number): void;
}

/** Columns of 16 values of `size` bytes. */
function floats(size: number): Layout {
  return {
    tileBytes: size * TILE_ROWS,
    place(from, at, to, start, row) {
      for (let i = 0; i < size; i++) to[start + row * size + i] = from[at + i];
    },
  };
}

/** Byte 4·row + c of vector j holds what belongs to columns 4j + c: `count` vectors of 64 bytes from `count` × 4 bytes of a row. */
function interleave(
  from: Uint8Array,
  at: number,
  to: Uint8Array,
  start: number,
  row: number,
  count: number,
  flip: number,
) {
  for (let j = 0; j < count; j++) {
    const target = start + j * 64 + row * 4;
    for (let c = 0; c < 4; c++) to[target + c] = from[at + j * 4 + c] ^ flip;
  }
}

function copyHalf(from: Uint8Array, at: number, to: Uint8Array, target: number) {
  to[target] = from[at];
  to[target + 1] = from[at + 1];
}

/** block_q4_0: d f16, qs[16]; qs[i] holds column i (low nibble) and 16 + i. The tile keeps its bytes as they are. */
const q4_0: Layout = {
  tileBytes: 32 + 256,
  place(from, at, to, start, row) {
    copyHalf(from, at, to, start + row * 2);
    interleave(from, at + 2, to, start + 32, row, 4, 0);
  },
};

/** block_q4_1: d f16, m f16, qs[16]. */
const q4_1: Layout = {
  tileBytes: 64 + 256,
  place(from, at, to, start, row) {
    copyHalf(from, at, to, start + row * 2);
    copyHalf(from, at + 2, to, start + 32 + row * 2);
    interleave(from, at + 4, to, start + 64, row, 4, 0);
  },
};

/** block_q8_0: d f16, qs i8[32]. Flipping the sign bit adds the bias of 128. */
const q8_0: Layout = {
  tileBytes: 32 + 512,
  place(from, at, to, start, row) {
    copyHalf(from, at, to, start + row * 2);
    interleave(from, at + 2, to, start + 32, row, 8, 0x80);
  },
};

/** block_q6_K: ql[128], qh[64], scales i8[16], d f16: 256 columns in 16 groups. The tile has 16 groups of f32[16], u8[4][64]. */
const q6_K: Layout = {
  tileBytes: 16 * (64 + 256),
  place(from, at, to, start, row) {
    const view = new DataView(to.buffer, to.byteOffset);
    const d = halfAt(from, at + 208);
    for (let group = 0; group < 16; group++) {
      const scale = (from[at + 192 + group] << 24) >> 24;
      view.setFloat32(start + group * 320 + row * 4, d * scale, true);
    }
    for (let column = 0; column < 256; column++) {
      // 128 columns share 64 bytes of ql and 32 of qh: quarter q of them has nibble q / 2 and bit pair q
      const half = column >> 7;
      const quarter = (column >> 5) & 3;
      const i = column & 31;
      const low = from[at + half * 64 + (quarter & 1) * 32 + i] >> (quarter >> 1 ? 4 : 0);
      const high = from[at + 128 + half * 32 + i] >> (quarter * 2);
      const c = column & 15;
      const vector = start + (column >> 4) * 320 + 64 + (c >> 2) * 64;
      to[vector + row * 4 + (c & 3)] = (low & 15) | ((high & 3) << 4);
    }
  },
};

const layouts: Record<TensorType, Layout> = {
  F32: floats(4),
  F16: floats(2),
  BF16: floats(2),
  Q8_0: q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q6_K: q6_K,
};

/** Rows of a matrix in the pack: whole tiles. */
export function paddedRows(rows: number): number {
  return Math.ceil(rows / TILE_ROWS) * TILE_ROWS;
}

/** Bytes of a matrix in the pack. */
export function tiledBytes(type: TensorType, rows: number, columns: number): number {
  return (
    (paddedRows(rows) / TILE_ROWS) * (columns / blockLayouts[type].values) * layouts[type].tileBytes
  );
}

/** One tile from `rows` ≤ 16 rows of the file; rows that are missing stay zero, and so do their products. */
export function tile(type: TensorType, raw: Uint8Array, rows: number, columns: number): Uint8Array {
  const layout = layouts[type];
  const { values, bytes } = blockLayouts[type];
  const blocks = columns / values;
  const out = new Uint8Array(blocks * layout.tileBytes);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      layout.place(raw, (row * blocks + block) * bytes, out, block * layout.tileBytes, row);
    }
  }
  return out;
}

/** Rows that are read from the file at a time. */
const ROWS_AT_ONCE = 64 * TILE_ROWS;

/** Two matrices of as many rows, tile by tile in turn. */
export async function* tilesInTurn(one: Tensor, other: Tensor): AsyncGenerator<Uint8Array> {
  const others = tiles(other);
  for await (const tile of tiles(one)) {
    yield tile;
    yield (await others.next()).value as Uint8Array;
  }
}

/** A whole matrix, a tile at a time. */
export async function* tiles(tensor: Tensor): AsyncGenerator<Uint8Array> {
  const stride = rowBytes(tensor.type, tensor.columns);
  for (let first = 0; first < tensor.rows; first += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, tensor.rows - first);
    const raw = await tensor.readRows(first, count);
    for (let row = 0; row < count; row += TILE_ROWS) {
      const rows = Math.min(TILE_ROWS, count - row);
      yield tile(
        tensor.type,
        raw.subarray(row * stride, (row + rows) * stride),
        rows,
        tensor.columns,
      );
    }
  }
}
