/**
 * Rotary position embedding (RoPE). Su et al. 2021, eq. 34: each pair (2i, 2i+1) of a head is
 * rotated by the angle position · frequency[i].
 */
import {
  HAS_LAYER_ROPES,
  HEAD_DIM,
  LAYER_ROPES,
  MICRO_BATCH,
  ROPE_DIM,
  ROPE_FREQUENCIES,
  ROPE_MAGNITUDES,
  ROPE_TABLES,
} from 'model';
import { cos, sin } from './math.ts';

const PAIRS: i32 = ROPE_DIM / 2;
const TOKEN_ANGLES: i32 = ROPE_TABLES * PAIRS;
const ANGLES: i32 = MICRO_BATCH * TOKEN_ANGLES;

const cosines = zeroed<FixedArray<f32, typeof ANGLES>>(); // [MICRO_BATCH][ROPE_TABLES][PAIRS]
const sines = zeroed<FixedArray<f32, typeof ANGLES>>();

/** The angles of one token of the batch, as cosine and sine; they serve all heads of all layers. */
export function computeRopeAngles(token: i32, position: i32): void {
  for (let i: i32 = 0; i < TOKEN_ANGLES; i++) {
    const angle = f64(position) * ROPE_FREQUENCIES[i];
    cosines[token * TOKEN_ANGLES + i] = f32(cos(angle)) * ROPE_MAGNITUDES[i / PAIRS];
    sines[token * TOKEN_ANGLES + i] = f32(sin(angle)) * ROPE_MAGNITUDES[i / PAIRS];
  }
}

/**
 * Rotates rows first … end-1 of all heads of one token of the batch, in place, as the layer has it.
 * x: f32[heads][HEAD_DIM]; first, end: even
 */
export function applyRope(x: Ptr<f32>, layer: i32, token: i32, first: i32, end: i32): void {
  const table = HAS_LAYER_ROPES ? LAYER_ROPES[layer] : 0;
  if (table < 0) return;
  const angles = token * TOKEN_ANGLES + table * PAIRS;
  for (let row = first; row < end; row = (row / HEAD_DIM + 1) * HEAD_DIM) {
    const inHead = row % HEAD_DIM;
    const pairs = ref(x[row - inHead]);
    const last = min(min(HEAD_DIM, end - row + inHead) / 2, PAIRS);
    for (let i = inHead / 2; i < last; i++) {
      const c = cosines[angles + i];
      const s = sines[angles + i];
      const a = pairs[i * 2];
      const b = pairs[i * 2 + 1];
      pairs[i * 2] = fma(a, c, -(b * s));
      pairs[i * 2 + 1] = fma(a, s, b * c);
    }
  }
}
