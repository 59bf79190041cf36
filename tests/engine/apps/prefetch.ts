/**
 * Says whether logits are the same when weights are prefetched and when they are not, of two tokens
 * that come alone.
 */

import { VOCABULARY } from 'model';
import { say } from '../../../guest/console/say.ts';
import { evaluate, logitsOf, variantInUse } from '../../../guest/engine/forward.ts';
import { enablePrefetch } from '../../../guest/kernels/prefetch.ts';

/** [2][VOCABULARY] */
const LOGITS: i32 = 2 * VOCABULARY;
const plain = zeroed<FixedArray<f32, typeof LOGITS>>();
const prefetched = zeroed<FixedArray<f32, typeof LOGITS>>();

function run(out: Ptr<f32>, isOn: bool): void {
  enablePrefetch(isOn);
  for (let position: i32 = 0; position < 2; position++) {
    let id: i32 = 7 + position;
    evaluate(ref(id), 1, position);
    memory.copy(ref(out[position * VOCABULARY]), logitsOf(0), usize(VOCABULARY) * 4);
  }
}

export function main(): void {
  variantInUse(); // which asks the CPU what it wants
  run(ref(plain[0]), false);
  run(ref(prefetched[0]), true);
  const difference = memory.compare(ref(plain[0]), ref(prefetched[0]), usize(LOGITS) * 4);
  if (plain[0] == 0 || plain[0] == plain[VOCABULARY]) say('no logits');
  else say(difference == 0 ? 'the same' : 'others');
}
