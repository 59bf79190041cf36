import { type Count, step } from 'steps';

export function work(by: Count): void {
  step(by);
}
