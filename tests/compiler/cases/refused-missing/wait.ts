import { pause } from 'arch/cpu';
import { now } from 'arch/clock';

export function wait(nanos: u64): void {
  const start = now();
  while (now() - start < nanos) pause();
}
