import { pause, ticks } from 'arch/cpu';
import { wait } from './wait.ts';

export function use(): u64 {
  pause();
  wait(3);
  return ticks() + 'unreported';
}
