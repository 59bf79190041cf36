export function double(x: i32): i32 {
  return x * 2;
}
