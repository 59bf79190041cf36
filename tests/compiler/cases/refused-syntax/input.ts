class Base {
  x!: i32;
  method(): void {}
}
class Derived extends Base {
  y: i32 = 3;
}
interface Shape {
  x: i32;
}
namespace space {}
var old: i32 = 0;
export async function later(): void {}
export function* generator(): void {}
export function defaults(a: i32 = 3, ...rest: i32): void {}
if (old) old = 1;
let start: i32 = 1,
  [p, q] = 2;

export function expressions(a: i32, s: Ptr<Base>): i32 {
  const closure = (x: i32) => x;
  const object = { a: 1 };
  const list = [1, 2];
  const text = `template`;
  const made = new Base();
  const cast = a as u8;
  const sure = s!;
  const kind = typeof a;
  const pattern = /x/;
  const big = 10n;
  const chained = s?.x;
  const nothing = undefined;
  const { x } = s;
  const more = use(...list);
  const value = (a = 3);
  const counted = a++;
  const power = a ** 2;
  const either = s ?? null;
  const found = a in s;
  a;
  a + 1;
  this.x = 3;
  return a, 3;
}

function use(a: i32): i32 {
  return a;
}

export function statements(n: i32): void {
  for (const x of n) use(x);
  for (const x in n) use(x);
  outer: while (true) break outer;
  try {
    throw n;
  } catch {}
  function inner(): void {}
  class Local {}
  var old: i32 = 0;
  debugger;
}
