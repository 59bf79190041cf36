/**
 * Matrices of 4 and 5 bits (GGML's Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K): tiles of 16 rows, cut into
 * blocks of 32 columns. block.ts says what lies in a block.
 *
 * Instructions of the loop over blocks (512 products a token; by llvm-objdump, clang 19) with one
 * token (GEMV), and with a panel of eight:
 *
 *            avx512vnni    avx2         portable
 *   Q4_0     42, 160       104, 677     179, 1073
 *   Q4_1     45, 176       105, 654     180, 1051
 *   Q5_0     62, 208       163, 771     256, 1190
 *
 * Products are rounded before they are added: emulators, where images are tried out, take twelve
 * times as long for a fused multiply-add as for a multiplication, and a CPU hardly notices
 * (docs/architecture.md).
 */
import { type Accumulator5, accumulate5, beginAccumulator5, reduce5 } from 'dots';
import { blockOf, headOf, minimumOf, nextBlock, scaleOf, unpack } from './block.ts';
import { isPrefetchOn, prefetchAhead } from './prefetch.ts';
import { type Activations, type Input, linesOf, PANEL_TOKENS } from './quantize.ts';
import { BLOCK_BYTES, hasMinimum, WEIGHT_BITS } from './tileFormat.ts';

/**
 * out[16] = tile · activations of a token alone. The floats of a block, one chain of operations
 * that wait for each other, stand between the products of the next: a CPU looks some 60 vector
 * operations ahead, less than a block. @inline
 */
export function gemvTile5(out: Ptr<f32>, tile: Ptr<u8>, format: i32, input: Ptr<Input>): void {
  if (isPrefetchOn()) gemvBlocks5(out, tile, format, input, true);
  else gemvBlocks5(out, tile, format, input, false);
}

/** The same; prefetches: a constant. @inline */
function gemvBlocks5(
  out: Ptr<f32>,
  tile: Ptr<u8>,
  format: i32,
  input: Ptr<Input>,
  prefetches: bool,
): void {
  let head = tile;
  let block = blockOf(tile, 0, format);
  let line = linesOf(input, 0, 1);
  let low = beginAccumulator5(biasOf(line, 0, format));
  let high = beginAccumulator5(biasOf(line, 1, format));
  /** @unroll */
  for (let j: i32 = 0; j < 4; j++) {
    low = accumulateVector(low, block, line, j, format);
    high = accumulateVector(high, block, line, 4 + j, format);
  }
  let sum = f32x16.splat(0);
  for (let i: i32 = 1; i < input.columns / 32; i++) {
    if (prefetches) prefetchAhead(block, BLOCK_BYTES[format]);
    const next = nextBlock(block, i - 1, format);
    const nextLine = ref(line[1]);
    const lowDot = reduce5(biasOf(line, 0, format), low);
    const highDot = reduce5(biasOf(line, 1, format), high);
    low = beginAccumulator5(biasOf(nextLine, 0, format));
    high = beginAccumulator5(biasOf(nextLine, 1, format));
    low = accumulateVector(low, next, nextLine, 0, format);
    high = accumulateVector(high, next, nextLine, 4, format);
    const lowSum = f32x16.scale(f32x16.convert(lowDot), line.scales[0]);
    const highSum = f32x16.scale(f32x16.convert(highDot), line.scales[1]);
    low = accumulateVector(low, next, nextLine, 1, format);
    high = accumulateVector(high, next, nextLine, 5, format);
    const dot = f32x16.add(lowSum, highSum);
    low = accumulateVector(low, next, nextLine, 2, format);
    high = accumulateVector(high, next, nextLine, 6, format);
    sum = addBlock(sum, dot, head, block, line, format);
    low = accumulateVector(low, next, nextLine, 3, format);
    high = accumulateVector(high, next, nextLine, 7, format);
    head = headOf(tile, i, format);
    block = next;
    line = nextLine;
  }
  sum = addBlock(sum, dotOf(low, high, line, format), head, block, line, format);
  f32x16.store(out, 0, sum);
}

/**
 * out[token][16] = the same for a panel of tokens, whose sums stay in registers; the results of the
 * first `wanted` are stored. @inline
 */
export function gemmTile5(
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
  let block = blockOf(tile, 0, format);
  let line = lines;
  for (let i: i32 = 0; i < columns / 32; i++) {
    const head = headOf(tile, i, format);
    /** @unroll */
    for (let j: i32 = 0; j < 8; j++) weights[j] = unpack(block, j, format);
    /** @unroll */
    for (let t: i32 = 0; t < PANEL_TOKENS; t++) {
      const x = ref(line[t]);
      let low = beginAccumulator5(biasOf(x, 0, format));
      let high = beginAccumulator5(biasOf(x, 1, format));
      /** @unroll */
      for (let j: i32 = 0; j < 4; j++) {
        low = accumulate5(low, weights[j], x, j * 4);
        high = accumulate5(high, weights[4 + j], x, 16 + j * 4);
      }
      sums[t] = addBlock(sums[t], dotOf(low, high, x, format), head, block, x, format);
    }
    block = nextBlock(block, i, format);
    line = ref(line[PANEL_TOKENS]);
  }
  /** @unroll */
  for (let t: i32 = 0; t < PANEL_TOKENS; t++) {
    if (t < wanted) f32x16.store(out, t * outStride, sums[t]);
  }
}

/** accumulator + the products of columns 4j … 4j + 3. @inline */
function accumulateVector(
  accumulator: Accumulator5,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  j: i32,
  format: i32,
): Accumulator5 {
  return accumulate5(accumulator, unpack(block, j, format), x, j * 4);
}

/**
 * What the dot product of a group begins with: without a minimum, what is stored is weight + 8 or
 * + 16. @inline
 */
function biasOf(x: Ptr<Activations>, group: i32, format: i32): i32 {
  if (hasMinimum(format)) return 0;
  return WEIGHT_BITS[format] == 4 ? x.bias4[group] : 2 * x.bias4[group];
}

/** Σ stored · activation of a block's 32 columns. @inline */
function dotOf(low: Accumulator5, high: Accumulator5, x: Ptr<Activations>, format: i32): f32x16 {
  const lowDot = reduce5(biasOf(x, 0, format), low);
  const highDot = reduce5(biasOf(x, 1, format), high);
  const lowSum = f32x16.scale(f32x16.convert(lowDot), x.scales[0]);
  const highSum = f32x16.scale(f32x16.convert(highDot), x.scales[1]);
  return f32x16.add(lowSum, highSum);
}

/** sum + scale · dot + minimum · Σ activations @inline */
function addBlock(
  sum: f32x16,
  dot: f32x16,
  head: Ptr<u8>,
  block: Ptr<u8>,
  x: Ptr<Activations>,
  format: i32,
): f32x16 {
  const total = f32x16.add(sum, f32x16.mul(dot, scaleOf(head, block, 0, format)));
  if (!hasMinimum(format)) return total;
  return f32x16.add(total, f32x16.scale(minimumOf(head, block, format), x.sum));
}
