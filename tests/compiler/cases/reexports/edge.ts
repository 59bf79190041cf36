export enum Edge {
  Upper,
  Lower,
}

export function area(side: i32): i32 {
  return side;
}

export function square(side: i32): i32 {
  return side * side;
}
