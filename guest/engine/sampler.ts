/**
 * Chooses a token from the logits: repetition penalty, top-k, top-p, min-p, temperature, in
 * llama.cpp's order. Everything is exact and ordered (larger logit first, then smaller id), so that
 * a seed gives the same tokens everywhere.
 */
import { powerOff, write } from 'machine';
import { VOCABULARY, VOCABULARY_ROWS } from 'model';
import { exp, exp16 } from '../kernels/math.ts';
import { random } from './random.ts';
import type { Settings } from './settings.ts';

const heap = zeroed<FixedArray<i32, typeof VOCABULARY>>(); // token ids, the largest logit on top
const kept = zeroed<FixedArray<i32, typeof VOCABULARY>>(); // candidates, best first
const weights = zeroed<FixedArray<f32, typeof VOCABULARY>>(); // of the candidates
let heapSize: i32 = 0;

/**
 * The next token. logits: f32[VOCABULARY_ROWS], changed by the penalty. recent: the last n
 * tokens.
 */
export function sample(logits: Ptr<f32>, settings: Ptr<Settings>, recent: Ptr<i32>, n: i32): i32 {
  if (settings.repeatPenalty != 1) penalize(logits, settings.repeatPenalty, recent, n);
  const first = largest(logits);
  const best = logits[first];
  if (best - best != 0) refuseLogits(); // infinite, or no number
  if (settings.temperature <= 0) return first;
  const count = keep(logits, best, settings);

  let total: f32 = 0;
  for (let i: i32 = 0; i < count; i++) {
    weights[i] = exp((logits[kept[i]] - best) / settings.temperature);
    total += weights[i];
  }
  let left: f32 = random() * total;
  for (let i: i32 = 0; i < count; i++) {
    left -= weights[i];
    if (left < 0) return kept[i];
  }
  return kept[count - 1];
}

/**
 * Keskar et al. 2019, §4.1: a logit of a recent token is divided by the penalty if positive,
 * multiplied if negative.
 */
function penalize(logits: Ptr<f32>, penalty: f32, recent: Ptr<i32>, count: i32): void {
  for (let i: i32 = 0; i < count; i++) {
    let isFirst = true;
    for (let j: i32 = 0; j < i; j++) if (recent[j] == recent[i]) isFirst = false;
    if (!isFirst) continue;
    const logit = logits[recent[i]];
    logits[recent[i]] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/** No answer is better than one that means nothing. */
function refuseLogits(): void {
  const line =
    '\npanic: the logits are infinite or no numbers: the weights of this model are too large\n';
  write(utf8(line), line.length);
  powerOff(1);
}

/** Index of the largest logit; the first of equals. */
function largest(logits: Ptr<f32>): i32 {
  let best: i32 = 0;
  for (let i: i32 = 1; i < VOCABULARY; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/**
 * Fills `kept` with the candidates that top-k, top-p and min-p leave; returns how many, at least
 * one.
 */
function keep(logits: Ptr<f32>, best: f32, settings: Ptr<Settings>): i32 {
  const isAll = settings.topK <= 0 || settings.topK >= VOCABULARY;
  const limit = isAll ? VOCABULARY : settings.topK;
  buildHeap(logits);
  let total: f32 = isAll ? sumOfAll(logits, best) : 0;
  if (!isAll) {
    for (let i: i32 = 0; i < limit; i++) {
      kept[i] = pop(logits);
      total += exp(logits[kept[i]] - best);
    }
  }
  // best first until top-p's share of the probability is reached or min-p's floor is passed
  let mass: f32 = 0;
  let count: i32 = 0;
  while (count < limit) {
    if (isAll) kept[count] = pop(logits);
    const probability = exp(logits[kept[count]] - best);
    if (count > 0 && probability < settings.minP) break;
    count++;
    mass += probability;
    if (mass >= settings.topP * total) break;
  }
  return count;
}

/** Σ e^(logit - best), in 16 lanes. Rows beyond the vocabulary are left out. */
function sumOfAll(logits: Ptr<f32>, best: f32): f32 {
  for (let i: i32 = VOCABULARY; i < VOCABULARY_ROWS; i++) logits[i] = best - 1000;
  let sum = f32x16.splat(0);
  for (let i: i32 = 0; i < VOCABULARY_ROWS; i += 16) {
    sum = f32x16.add(sum, exp16(f32x16.sub(f32x16.load(logits, i), f32x16.splat(best))));
  }
  return f32x16.sum(sum);
}

// A binary heap: the children of i are 2i + 1 and 2i + 2. Williams 1964.

function buildHeap(logits: Ptr<f32>): void {
  heapSize = VOCABULARY;
  for (let i: i32 = 0; i < VOCABULARY; i++) heap[i] = i;
  for (let i: i32 = VOCABULARY / 2 - 1; i >= 0; i--) sink(logits, i);
}

function isBefore(logits: Ptr<f32>, a: i32, b: i32): bool {
  return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
}

/** Moves the entry at `from` down to its place. */
function sink(logits: Ptr<f32>, from: i32): void {
  const id = heap[from];
  let i = from;
  while (2 * i + 1 < heapSize) {
    let child = 2 * i + 1;
    if (child + 1 < heapSize && isBefore(logits, heap[child + 1], heap[child])) child++;
    if (!isBefore(logits, heap[child], id)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = id;
}

/** Takes the best entry out. */
function pop(logits: Ptr<f32>): i32 {
  const top = heap[0];
  heapSize--;
  heap[0] = heap[heapSize];
  if (heapSize > 0) sink(logits, 0);
  return top;
}
