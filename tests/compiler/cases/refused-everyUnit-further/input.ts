import { again } from './work.ts';

export function run(): void {
  again(1);
}
