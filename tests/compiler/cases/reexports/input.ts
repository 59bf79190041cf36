import { area, Side as Edge, WIDTH } from './all.ts';

export function sum(edge: Edge): i32 {
  return area(WIDTH) + edge;
}
