/**
 * The transformer, by the kernels that this CPU runs best. A program may hold the transformer
 * several times, each time compiled for another CPU variant, as units beside the main one
 * (docs/language.md); all of them work on the same storage and give the same bits.
 */
import { cpuFeatures } from 'machine';
import {
  FEATURE_EMULATED,
  FEATURE_WANTS_PREFETCH,
  VARIANT_NAMES,
  VARIANT_NEEDS,
  VARIANTS,
} from 'variants';
import { enablePrefetch } from '../kernels/prefetch.ts';
import { evaluate as evaluateHere, logitsOf as logitsHere } from './transformer.ts';

const evaluators: FixedArray<(ids: Ptr<i32>, count: i32, position: i32) => void> =
  everyUnit(evaluateHere);
const logitReaders: FixedArray<(index: i32) => Ptr<f32>> = everyUnit(logitsHere);

let chosen: i32 = -1; // not yet known

/**
 * The variant that computes here, its place in the tables. Asked once: cpuid is slow, in a virtual
 * machine above all.
 */
export function variantInUse(): i32 {
  if (chosen < 0) chosen = chooseVariant();
  return chosen;
}

/** The last variant whose needs the CPU meets. */
function chooseVariant(): i32 {
  const features = cpuFeatures();
  if ((features & FEATURE_EMULATED) != 0) return 0; // wide instructions are slow there
  enablePrefetch((features & FEATURE_WANTS_PREFETCH) != 0);
  let best: i32 = 0;
  for (let v: i32 = 1; v < VARIANTS; v++) {
    if ((VARIANT_NEEDS[v] & ~features) == 0) best = v;
  }
  return best;
}

/** As `mu --cpu` names it. */
export function variantName(): string {
  return VARIANT_NAMES[variantInUse()];
}

/**
 * Runs `count` ≤ MICRO_BATCH tokens, at positions position …, through all layers: transformer.ts.
 */
export function evaluate(ids: Ptr<i32>, count: i32, position: i32): void {
  evaluators[variantInUse()](ids, count, position);
}

/**
 * Logits f32[VOCABULARY] that follow the index-th token of the last `evaluate`. They stand until
 * the next call.
 */
export function logitsOf(index: i32): Ptr<f32> {
  return logitReaders[variantInUse()](index);
}
