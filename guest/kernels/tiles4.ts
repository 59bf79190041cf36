/**
 * 4-bit matrices (GGML's Q4_0 and Q4_1): tiles of 16 rows, cut into blocks of 32 columns.
 *
 *   block   bytes 0-31     f16[16]   d: scale of each row
 *           bytes 32-63    f16[16]   m: minimum of each row (Q4_1 only)
 *           then 256       u8[4][64] vector j: byte 4·r + c has row r;
 *                                    low nibble column 4j + c, high nibble column 16 + 4j + c
 *
 * weight = d · nibble + m (Q4_1), d · (nibble - 8) (Q4_0)
 *
 * Instructions for a block (512 products a token) with one token (GEMV), and with a panel of eight:
 *
 *            avx512vnni    avx2         portable
 *   Q4_0     42, 163       104, 674     179, 1073
 *   Q4_1     45, 176       105, 654     180, 1051
 *
 * Products are rounded before they are added: emulators, where images are tried out, take twelve
 * times as long for a fused multiply-add as for a multiplication, and a CPU hardly notices
 * (docs/architecture.md).
 */
import { type Accumulator4, accumulate4, beginAccumulator4, reduce4 } from 'dots';
import { isPrefetchOn, prefetchAhead } from './prefetch.ts';
import { type Activations, type Input, linesOf, PANEL_TOKENS } from './quantize.ts';
import { blockBytes, HAS_MINIMUM } from './tileFormat.ts';

/**
 * out[token][16] = tile · activations, for all tokens of the batch. tile: one row of blocks.
 * @inline
 */
export function multiplyTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  tokens: i32,
): void {
  const columns = input.columns;
  if (tokens == 1) {
    const lines = linesOf(input, 0, 1);
    if (isPrefetchOn()) gemvTile4(out, tile, columns, format, lines, true);
    else gemvTile4(out, tile, columns, format, lines, false);
    return;
  }
  for (let token: i32 = 0; token < tokens; token += PANEL_TOKENS) {
    const to = ref(out[token * outStride]);
    const lines = linesOf(input, token, tokens);
    const wanted = min(tokens - token, PANEL_TOKENS);
    gemmTile4(to, outStride, tile, columns, format, lines, wanted);
  }
}

/**
 * The same for a token alone. The floats of a block, one chain of operations that wait for each
 * other, stand between the products of the next: a CPU looks some 60 vector operations ahead, less
 * than a block. @inline
 */
function gemvTile4(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  format: i32,
  lines: Ptr<Activations>,
  prefetches: bool,
): void {
  let block = tile;
  let line = lines;
  let low = beginAccumulator4(biasOf(line, 0, format));
  let high = beginAccumulator4(biasOf(line, 1, format));
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    low = accumulateVector(low, block, line, j, format);
    high = accumulateVector(high, block, line, 4 + j, format);
  }
  let sum = f32x16.splat(0);
  for (let i: i32 = 1; i < columns / 32; i++) {
    if (prefetches) prefetchAhead(block, blockBytes(format));
    const next = ref(block[blockBytes(format)]);
    const nextLine = ref(line[1]);
    const lowDot = reduce4(biasOf(line, 0, format), low);
    const highDot = reduce4(biasOf(line, 1, format), high);
    low = beginAccumulator4(biasOf(nextLine, 0, format));
    high = beginAccumulator4(biasOf(nextLine, 1, format));
    low = accumulateVector(low, next, nextLine, 0, format);
    high = accumulateVector(high, next, nextLine, 4, format);
    const lowSum = f32x16.scale(f32x16.convert(lowDot), line.scales[0]);
    const highSum = f32x16.scale(f32x16.convert(highDot), line.scales[1]);
    low = accumulateVector(low, next, nextLine, 1, format);
    high = accumulateVector(high, next, nextLine, 5, format);
    const dot = f32x16.add(lowSum, highSum);
    low = accumulateVector(low, next, nextLine, 2, format);
    high = accumulateVector(high, next, nextLine, 6, format);
    sum = addBlock(sum, dot, block, line, format);
    low = accumulateVector(low, next, nextLine, 3, format);
    high = accumulateVector(high, next, nextLine, 7, format);
    block = next;
    line = nextLine;
  }
  sum = addBlock(sum, dotOf(low, high, line, format), block, line, format);
  f32x16.store(out, 0, sum);
}

/**
 * The same for a panel of tokens, whose sums stay in registers; the results of the first `wanted`
 * are stored. @inline
 */
function gemmTile4(
  out: Ptr<f32>,
  outStride: i32,
  tile: Ptr<u8>,
  columns: i32,
  format: i32,
  lines: Ptr<Activations>,
  wanted: i32,
): void {
  const sums = zeroed<FixedArray<f32x16, typeof PANEL_TOKENS>>();
  const weights = zeroed<FixedArray<u8x64, 8>>();
  let block = tile;
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = unpackNibbles(block, j, format);
    /** @unroll */
    for (let t: i32 = 0; t < PANEL_TOKENS; t++) {
      const x = ref(line[t]);
      let low = beginAccumulator4(biasOf(x, 0, format));
      let high = beginAccumulator4(biasOf(x, 1, format));
      /** @unroll */
      for (let j: i32 = 0; j < 4; j++) {
        low = accumulate4(low, weights[j], x, j * 4);
        high = accumulate4(high, weights[4 + j], x, 16 + j * 4);
      }
      sums[t] = addBlock(sums[t], dotOf(low, high, x, format), block, x, format);
    }
    block = ref(block[blockBytes(format)]);
    line = ref(line[PANEL_TOKENS]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < PANEL_TOKENS; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/**
 * Where the nibbles of a block begin: behind the scales, and the minimums if there are any. @inline
 */
function nibblesOf(block: Ptr<u8>, format: i32): Ptr<u8> {
  return ref(block[HAS_MINIMUM[format] ? 64 : 32]);
}

/** Weights of columns 4j … 4j + 3, one a byte. @inline */
function unpackNibbles(block: Ptr<u8>, j: i32, format: i32): u8x64 {
  const pair = u8x64.load(nibblesOf(block, format), (j % 4) * 64);
  return j < 4 ? u8x64.and(pair, u8x64.splat(15)) : u8x64.shr(pair, 4);
}

/** accumulator + the products of columns 4j … 4j + 3. @inline */
function accumulateVector(
  accumulator: Accumulator4,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  j: i32,
  format: i32,
): Accumulator4 {
  return accumulate4(accumulator, unpackNibbles(block, j, format), x, j * 4);
}

/**
 * What the dot product of a group begins with: without a minimum, nibbles are weight + 8. @inline
 */
function biasOf(x: Ptr<Activations>, group: i32, format: i32): i32 {
  return HAS_MINIMUM[format] ? 0 : x.bias4[group];
}

/** Σ nibble · activation of a block's 32 columns. @inline */
function dotOf(low: Accumulator4, high: Accumulator4, x: Ptr<Activations>, format: i32): f32x16 {
  const lowDot = reduce4(biasOf(x, 0, format), low);
  const highDot = reduce4(biasOf(x, 1, format), high);
  const lowSum = f32x16.scale(f32x16.convert(lowDot), x.scales[0]);
  const highSum = f32x16.scale(f32x16.convert(highDot), x.scales[1]);
  return f32x16.add(lowSum, highSum);
}

/** sum + d · dot + m · Σ activations @inline */
function addBlock(
  sum: f32x16,
  dot: f32x16,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  format: i32,
): f32x16 {
  const halves = changetype<Ptr<u16>>(block);
  const total = f32x16.add(sum, f32x16.mul(dot, f32x16.loadF16(halves)));
  if (!HAS_MINIMUM[format]) return total;
  return f32x16.add(total, f32x16.scale(f32x16.loadF16(halves, 16), x.sum));
}

/** out[columns] = one row of the matrix, as numbers. lane: row within the tile. */
export function dequantizeRow4(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  columns: i32,
  lane: i32,
  format: i32,
): void {
  let block = tile;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const scales = changetype<Ptr<u16>>(block);
    const scale = f32x16.lane(f32x16.loadF16(ref(scales[lane])), 0);
    const minimum: f32 = HAS_MINIMUM[format]
      ? f32x16.lane(f32x16.loadF16(ref(scales[16 + lane])), 0)
      : -8 * scale;
    const nibbles = nibblesOf(block, format);
    for (let c: i32 = 0; c < 16; c++) {
      const pair = nibbles[(c / 4) * 64 + lane * 4 + (c % 4)];
      out[i * 32 + c] = fma(f32(pair & 15), scale, minimum);
      out[i * 32 + 16 + c] = fma(f32(pair >> 4), scale, minimum);
    }
    block = ref(block[blockBytes(format)]);
  }
}
