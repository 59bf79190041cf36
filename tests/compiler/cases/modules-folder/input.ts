import { double } from 'parts/double';

export function four(): i32 {
  return double(2);
}
