/**
 * 4-bit matrices (GGML's Q4_0 and Q4_1): tiles of 16 rows, cut into blocks of 32 columns.
 *
 *   block   bytes 0-31     f16[16]   d: scale of each row
 *           bytes 32-63    f16[16]   m: minimum of each row (Q4_1 only)
 *           then 256       u8[4][64] vector j: byte 4·r + c has row r; low nibble column 4j + c, high nibble column 16 + 4j + c
 *
 * weight = d · nibble + m (Q4_1), d · (nibble - 8) (Q4_0)
 *
 * Instructions for a block (512 products a token) with one token, and with eight:
 *
 *            avx512vnni    avx2         portable
 *   Q4_0     42, 163       104, 674     179, 1073
 *   Q4_1     45, 176       105, 654     180, 1051
 *
 * Products are rounded before they are added: emulators, where images are tried out, take twelve times as long for a fused
 * multiply-add as for a multiplication, and a CPU hardly notices (docs/architecture.md).
 */
import { begin4, multiplyAdd4, type Products4, sum4 } from 'dots';
import { fetchAhead, wantsAhead } from './ahead.ts';
import { type Activations, type Input, linesOf, PACK_TOKENS } from './quantize.ts';

const NIBBLES: i32 = 256;

/** Bytes of a block: 320 with minimums, 288 without. @inline */
export function blockBytes4(hasMinimum: bool): i32 {
  return NIBBLES + (hasMinimum ? 64 : 32);
}

/** out[token][16] = tile · activations, for all tokens of the batch. tile: one row of blocks. @inline */
export function multiplyTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  hasMinimum: bool,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const columns = input.columns;
  if (tokens == 1) {
    const lines = linesOf(input, 0, 1);
    if (wantsAhead()) passTile4Alone(out, tile, columns, hasMinimum, lines, true);
    else passTile4Alone(out, tile, columns, hasMinimum, lines, false);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PACK_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PACK_TOKENS);
    passTile4(to, outStride, tile, columns, hasMinimum, lines, wanted);
  }
}

/**
 * The same for a token alone. The floats of a block, one chain of operations that wait for each other, stand between the products
 * of the next: a CPU looks some 60 vector operations ahead, less than a block. @inline
 */
function passTile4Alone(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  hasMinimum: bool,
  lines: Ptr<Activations>,
  isAhead: bool,
): void {
  let block = tile;
  let line = lines;
  let low = begin4(start4(line, 0, hasMinimum));
  let high = begin4(start4(line, 1, hasMinimum));
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    low = addVector(low, block, line, j, hasMinimum);
    high = addVector(high, block, line, 4 + j, hasMinimum);
  }
  let sum = f32x16.splat(0);
  for (let i: i32 = 1; i < columns / 32; i++) {
    if (isAhead) fetchAhead(block, blockBytes4(hasMinimum));
    const next = ref(block[blockBytes4(hasMinimum)]);
    const nextLine = ref(line[1]);
    const lowDot = sum4(start4(line, 0, hasMinimum), low);
    const highDot = sum4(start4(line, 1, hasMinimum), high);
    low = begin4(start4(nextLine, 0, hasMinimum));
    high = begin4(start4(nextLine, 1, hasMinimum));
    low = addVector(low, next, nextLine, 0, hasMinimum);
    high = addVector(high, next, nextLine, 4, hasMinimum);
    const lowSum = f32x16.scale(f32x16.convert(lowDot), line.scales[0]);
    const highSum = f32x16.scale(f32x16.convert(highDot), line.scales[1]);
    low = addVector(low, next, nextLine, 1, hasMinimum);
    high = addVector(high, next, nextLine, 5, hasMinimum);
    const both = f32x16.add(lowSum, highSum);
    low = addVector(low, next, nextLine, 2, hasMinimum);
    high = addVector(high, next, nextLine, 6, hasMinimum);
    sum = addScaled(sum, both, block, line, hasMinimum);
    low = addVector(low, next, nextLine, 3, hasMinimum);
    high = addVector(high, next, nextLine, 7, hasMinimum);
    block = next;
    line = nextLine;
  }
  sum = addScaled(sum, bothSums(low, high, line, hasMinimum), block, line, hasMinimum);
  f32x16.store(out, 0, sum);
}

/** The same for a pack of tokens, whose sums stay in registers; the results of the first `wanted` are stored. @inline */
function passTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  hasMinimum: bool,
  lines: Ptr<Activations>,
  wanted: i32,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof PACK_TOKENS>>();
  const weights = zeroed<FixedArray<u8x64, 8>>();
  let block = tile;
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = loadVector(block, j, hasMinimum);
    /** @unroll */
    for (let t: i32 = 0; t < PACK_TOKENS; t++) {
      const x = ref(line[t]);
      let low = begin4(start4(x, 0, hasMinimum));
      let high = begin4(start4(x, 1, hasMinimum));
      /** @unroll */
      for (let j: i32 = 0; j < 4; j++) {
        low = multiplyAdd4(low, weights[j], x, j * 4);
        high = multiplyAdd4(high, weights[4 + j], x, 16 + j * 4);
      }
      sums[t] = addScaled(sums[t], bothSums(low, high, x, hasMinimum), block, x, hasMinimum);
    }
    block = ref(block[blockBytes4(hasMinimum)]);
    line = ref(line[PACK_TOKENS]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < PACK_TOKENS; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/** Weights of columns 4j … 4j + 3, one a byte. @inline */
function loadVector(block: Ptr<u8>, j: i32, hasMinimum: bool): u8x64 {
  const pair = u8x64.load(ref(block[hasMinimum ? 64 : 32]), (j % 4) * 64);
  return j < 4 ? u8x64.and(pair, u8x64.splat(15)) : u8x64.shr(pair, 4);
}

/** products + those of columns 4j … 4j + 3. @inline */
function addVector(
  products: Products4,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  j: i32,
  hasMinimum: bool,
): Products4 {
  return multiplyAdd4(products, loadVector(block, j, hasMinimum), x, j * 4);
}

/** Where the dot product of a group begins: where there is no minimum, nibbles are weight + 8. @inline */
function start4(x: Ptr<Activations>, group: i32, hasMinimum: bool): i32 {
  return hasMinimum ? 0 : x.starts4[group];
}

/** Σ nibble · activation of a block's 32 columns. @inline */
function bothSums(low: Products4, high: Products4, x: Ptr<Activations>, hasMinimum: bool): f32x16 {
  const lowDot = sum4(start4(x, 0, hasMinimum), low);
  const highDot = sum4(start4(x, 1, hasMinimum), high);
  const lowSum = f32x16.scale(f32x16.convert(lowDot), x.scales[0]);
  const highSum = f32x16.scale(f32x16.convert(highDot), x.scales[1]);
  return f32x16.add(lowSum, highSum);
}

/** sum + d · both + m · Σ activations @inline */
function addScaled(
  sum: f32x16,
  both: f32x16,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  hasMinimum: bool,
): f32x16 {
  const halves = changetype<Ptr<u16>>(block);
  const total = f32x16.add(sum, f32x16.mul(both, f32x16.loadF16(halves)));
  if (!hasMinimum) return total;
  return f32x16.add(total, f32x16.scale(f32x16.loadF16(halves, 16), x.sum));
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function readRow4(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  hasMinimum: bool,
): void {
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const scales = changetype<Ptr<u16>>(block);
    const scale = f32x16.lane(f32x16.loadF16(ref(scales[lane])), 0);
    const minimum: f32 = hasMinimum
      ? f32x16.lane(f32x16.loadF16(ref(scales[16 + lane])), 0)
      : -8 * scale;
    const nibbles = ref(block[hasMinimum ? 64 : 32]);
    for (let c: i32 = 0; c < 16; c++) {
      const pair = nibbles[(c / 4) * 64 + lane * 4 + (c % 4)];
      out[i * 32 + c] = fma(f32(pair & 15), scale, minimum);
      out[i * 32 + 16 + c] = fma(f32(pair >> 4), scale, minimum);
    }
    block = ref(block[blockBytes4(hasMinimum)]);
  }
}
