import { step } from 'steps';

export function work(by: i32): void {
  step(by);
}
