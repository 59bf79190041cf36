/**
 * The ambient library of the guest dialect: what `tsc` needs to know so that editors, renames and
 * jumps work over guest/. docs/language.md says what each thing means; the compiler (src/compiler)
 * has its own, stricter types: here all numbers are one type. There is no JavaScript library
 * underneath: what is not declared here does not exist in a guest. One file, however long: a reader
 * looks here for every name that a guest does not import.
 */

// -------------------------------------------------------------------------------------------------
// Scalars. The name is a type and, called, a cast: u8(x). MIN_VALUE and MAX_VALUE are constants of
// the type.

/** 8-bit two's complement integer */
declare type i8 = number;
declare function i8(x: number | boolean): i8;
declare namespace i8 {
  const MIN_VALUE: i8;
  const MAX_VALUE: i8;
}
/** 16-bit two's complement integer */
declare type i16 = number;
declare function i16(x: number | boolean): i16;
declare namespace i16 {
  const MIN_VALUE: i16;
  const MAX_VALUE: i16;
}
/** 32-bit two's complement integer */
declare type i32 = number;
declare function i32(x: number | boolean): i32;
declare namespace i32 {
  const MIN_VALUE: i32;
  const MAX_VALUE: i32;
}
/** 64-bit two's complement integer */
declare type i64 = number;
declare function i64(x: number | boolean): i64;
declare namespace i64 {
  const MIN_VALUE: i64;
  const MAX_VALUE: i64;
}
/** signed integer as wide as a pointer */
declare type isize = number;
declare function isize(x: number | boolean): isize;
declare namespace isize {
  const MIN_VALUE: isize;
  const MAX_VALUE: isize;
}
/** 8-bit unsigned integer */
declare type u8 = number;
declare function u8(x: number | boolean): u8;
declare namespace u8 {
  const MIN_VALUE: u8;
  const MAX_VALUE: u8;
}
/** 16-bit unsigned integer */
declare type u16 = number;
declare function u16(x: number | boolean): u16;
declare namespace u16 {
  const MIN_VALUE: u16;
  const MAX_VALUE: u16;
}
/** 32-bit unsigned integer */
declare type u32 = number;
declare function u32(x: number | boolean): u32;
declare namespace u32 {
  const MIN_VALUE: u32;
  const MAX_VALUE: u32;
}
/** 64-bit unsigned integer */
declare type u64 = number;
declare function u64(x: number | boolean): u64;
declare namespace u64 {
  const MIN_VALUE: u64;
  const MAX_VALUE: u64;
}
/** unsigned integer as wide as a pointer: addresses, sizes */
declare type usize = number;
declare function usize(x: number | boolean): usize;
declare namespace usize {
  const MIN_VALUE: usize;
  const MAX_VALUE: usize;
}
/** IEEE 754 binary32 */
declare type f32 = number;
declare function f32(x: number | boolean): f32;
/** IEEE 754 binary64 */
declare type f64 = number;
declare function f64(x: number | boolean): f64;
/** true or false; the only type that a condition takes. bool(x) is x != 0. */
declare type bool = boolean;
declare function bool(x: number | boolean): bool;

// -------------------------------------------------------------------------------------------------
// Memory

/** What a pointer shows of a struct: its fields. Pointers to anything else have elements only. */
type Fields<T> = T extends Pointer<any> | FixedArray<any, any> | LanesOf<any, any> | Function
  ? unknown
  : T extends object
    ? T
    : unknown;

interface Pointer<T> {
  [index: number]: T;
  readonly __pointee: T;
}

/** Address of a T: p[i] is the i-th element, p.field the field of a struct; compare with null. */
declare type Ptr<T> = Pointer<T> & Fields<T>;

/** Where a builtin takes an address: a usize or any pointer. */
type Address = usize | Pointer<any>;

/**
 * N values in a row, stored in place. N is a literal or `typeof CONSTANT`; only constant tables may
 * leave it out.
 */
interface FixedArray<T, N extends number = number> {
  [index: number]: T;
  /** N, a constant */
  readonly length: usize;
  readonly __element?: T;
  readonly __count?: N;
}

/** Function pointer of UEFI's calling convention: on x86-64 Microsoft's, elsewhere C's own. */
declare type Efi<F> = F;

/** A T at an address of any alignment, `offset` bytes further. */
declare function load<T>(address: Address, offset?: usize): T;
declare function store<T>(address: Address, value: T, offset?: usize): void;
declare function sizeof<T>(): usize;
/** pointer ↔ usize ↔ other pointer or function pointer */
declare function changetype<T>(x: unknown): T;
/** Pointer to a variable, field or element: ref(p[i]) is p moved by i. */
declare function ref<T>(place: T): Ptr<T>;
/**
 * Storage of a struct or fixed array, all zero: `const s = zeroed<S>()`, at module level or local.
 */
declare function zeroed<T>(): T;
/**
 * A function that a further unit's root exports, as each unit of the program compiles it: the main
 * unit's first, then the further ones' in their order. Only as
 * `const versions: FixedArray<F> = everyUnit(f)` at module level of the main unit.
 */
declare function everyUnit<F>(f: F): FixedArray<F>;
/** Address of the first byte of a string (its UTF-8). */
declare function utf8(text: string): Ptr<u8>;

declare namespace memory {
  /** n bytes; the two may overlap */
  function copy(to: Address, from: Address, n: usize): void;
  function fill(to: Address, byte: u8, n: usize): void;
  /**
   * A hint that the cache line at the address will be read soon. Any address will do: it never
   * faults.
   */
  function prefetch(at: Address): void;
  /** < 0, 0, > 0 as the first byte that differs, unsigned */
  function compare(a: Address, b: Address, n: usize): i32;
}

/**
 * Exactly one access of the given type, never moved over another volatile one. Device registers.
 */
declare namespace volatile {
  function load<T>(address: Address): T;
  function store<T>(address: Address, value: T): void;
}

/**
 * Sequentially consistent; the old value is returned. T: an integer of 8 to 64 bits, naturally
 * aligned.
 */
declare namespace atomic {
  function load<T>(address: Address): T;
  function store<T>(address: Address, value: T): void;
  function add<T>(address: Address, value: T): T;
  function sub<T>(address: Address, value: T): T;
}

// -------------------------------------------------------------------------------------------------
// Arithmetic. The type argument may be left out: the operands say it.

/** Floats: a < b ? a : b */
declare function min<T>(a: T, b: T): T;
/** Floats: a > b ? a : b */
declare function max<T>(a: T, b: T): T;
/** Trailing zeros; the width for 0. */
declare function ctz<T>(x: T): T;
declare function popcnt<T>(x: T): T;
declare function rotr<T>(x: T, count: T): T;
declare function sqrt<T>(x: T): T;
/** Rounds to the nearest integer, halves to even. */
declare function nearest<T>(x: T): T;
/** a·b + c, rounded once */
declare function fma<T>(a: T, b: T, c: T): T;
/** Traps, in every build. */
declare function unreachable(): never;
/**
 * Panics in a checked build if the condition is false; nothing, not even the condition, in a
 * release build.
 */
declare function assert(condition: bool, message?: string): void;

// -------------------------------------------------------------------------------------------------
// Vectors: element type × lanes. V is the vector, N its lanes, M its mask: the signed integer
// vector of the same shape.

interface LanesOf<E, N> {
  readonly __element: E;
  readonly __lanes: N;
}

interface Lanes<V, N, M> {
  splat(x: number): V;
  /** from p[index], any alignment */
  load(p: Ptr<number>, index?: number): V;
  store(p: Ptr<number>, index: number, v: V): void;
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  min(a: V, b: V): V;
  max(a: V, b: V): V;
  neg(a: V): V;
  abs(a: V): V;
  /** v times a scalar */
  scale(v: V, x: number): V;
  /** Fixed tree: the upper half is added onto the lower half until one lane is left. */
  sum(v: V): number;
  maxLane(v: V): number;
  /** Value by value from a vector of as many lanes. Float → integer truncates and must fit. */
  convert(w: LanesOf<any, N>): V;
  /** The same bits, from a vector of as many bytes. */
  reinterpret(w: LanesOf<any, any>): V;
  /** lane: constant */
  lane(v: V, lane: number): number;
  less(a: V, b: V): M;
  equal(a: V, b: V): M;
  /** a where the mask is set, else b */
  select(a: V, b: V, mask: M): V;
}

interface IntegerLanes<V, N, M> extends Lanes<V, N, M> {
  and(a: V, b: V): V;
  or(a: V, b: V): V;
  xor(a: V, b: V): V;
  /** every lane by one count, modulo the lane's width */
  shl(v: V, count: number): V;
  shr(v: V, count: number): V;
}

interface FloatLanes<V, N, M> extends Lanes<V, N, M> {
  div(a: V, b: V): V;
  /** a·b + c, rounded once */
  fma(a: V, b: V, c: V): V;
  nearest(a: V): V;
}

interface SingleLanes<V, N, M> extends FloatLanes<V, N, M> {
  /** N IEEE 754 binary16 values from p[index], exactly */
  loadF16(p: Ptr<u16>, index?: number): V;
  /** The same numbers rounded to IEEE 754 binary16, halves to even, to p[index] … */
  storeF16(p: Ptr<u16>, index: number, v: V): void;
  loadBF16(p: Ptr<u16>, index?: number): V;
}

interface DotLanes<V, N, M, A, B, W> extends IntegerLanes<V, N, M> {
  /**
   * Lane n: acc[n] + Σ a[4n+k]·b[4n+k], k = 0 … 3, exact in i32 (wrapping). a: unsigned bytes, b:
   * signed bytes.
   */
  dot(acc: V, a: A, b: B): V;
  /** Lane n: a[2n]·b[2n] + a[2n+1]·b[2n+1], wrapping. */
  dot2(a: W, b: W): V;
}

interface PairLanes<V, N, M, A, B> extends IntegerLanes<V, N, M> {
  /** Lane n: a[2n]·b[2n] + a[2n+1]·b[2n+1], which must fit in 16 bits; it does for a ≤ 127. */
  pairDot(a: A, b: B): V;
}

interface SignLanes<V, N, M> extends IntegerLanes<V, N, M> {
  /** v where sign > 0, -v where sign < 0, 0 where sign = 0 */
  applySign(v: V, sign: V): V;
}

declare type f32x2 = LanesOf<'f32', 2>;
declare const f32x2: SingleLanes<f32x2, 2, i32x2>;
declare type f32x4 = LanesOf<'f32', 4>;
declare const f32x4: SingleLanes<f32x4, 4, i32x4>;
declare type f32x8 = LanesOf<'f32', 8>;
declare const f32x8: SingleLanes<f32x8, 8, i32x8>;
declare type f32x16 = LanesOf<'f32', 16>;
declare const f32x16: SingleLanes<f32x16, 16, i32x16>;
declare type f32x32 = LanesOf<'f32', 32>;
declare const f32x32: SingleLanes<f32x32, 32, i32x32>;
declare type f32x64 = LanesOf<'f32', 64>;
declare const f32x64: SingleLanes<f32x64, 64, i32x64>;

declare type f64x2 = LanesOf<'f64', 2>;
declare const f64x2: FloatLanes<f64x2, 2, i64x2>;
declare type f64x4 = LanesOf<'f64', 4>;
declare const f64x4: FloatLanes<f64x4, 4, i64x4>;
declare type f64x8 = LanesOf<'f64', 8>;
declare const f64x8: FloatLanes<f64x8, 8, i64x8>;
declare type f64x16 = LanesOf<'f64', 16>;
declare const f64x16: FloatLanes<f64x16, 16, i64x16>;
declare type f64x32 = LanesOf<'f64', 32>;
declare const f64x32: FloatLanes<f64x32, 32, i64x32>;
declare type f64x64 = LanesOf<'f64', 64>;
declare const f64x64: FloatLanes<f64x64, 64, i64x64>;

declare type i8x2 = LanesOf<'i8', 2>;
declare const i8x2: SignLanes<i8x2, 2, i8x2>;
declare type i8x4 = LanesOf<'i8', 4>;
declare const i8x4: SignLanes<i8x4, 4, i8x4>;
declare type i8x8 = LanesOf<'i8', 8>;
declare const i8x8: SignLanes<i8x8, 8, i8x8>;
declare type i8x16 = LanesOf<'i8', 16>;
declare const i8x16: SignLanes<i8x16, 16, i8x16>;
declare type i8x32 = LanesOf<'i8', 32>;
declare const i8x32: SignLanes<i8x32, 32, i8x32>;
declare type i8x64 = LanesOf<'i8', 64>;
declare const i8x64: SignLanes<i8x64, 64, i8x64>;

declare type i16x2 = LanesOf<'i16', 2>;
declare const i16x2: PairLanes<i16x2, 2, i16x2, u8x4, i8x4>;
declare type i16x4 = LanesOf<'i16', 4>;
declare const i16x4: PairLanes<i16x4, 4, i16x4, u8x8, i8x8>;
declare type i16x8 = LanesOf<'i16', 8>;
declare const i16x8: PairLanes<i16x8, 8, i16x8, u8x16, i8x16>;
declare type i16x16 = LanesOf<'i16', 16>;
declare const i16x16: PairLanes<i16x16, 16, i16x16, u8x32, i8x32>;
declare type i16x32 = LanesOf<'i16', 32>;
declare const i16x32: PairLanes<i16x32, 32, i16x32, u8x64, i8x64>;
declare type i16x64 = LanesOf<'i16', 64>;
declare const i16x64: IntegerLanes<i16x64, 64, i16x64>;

declare type i32x2 = LanesOf<'i32', 2>;
declare const i32x2: DotLanes<i32x2, 2, i32x2, u8x8, i8x8, i16x4>;
declare type i32x4 = LanesOf<'i32', 4>;
declare const i32x4: DotLanes<i32x4, 4, i32x4, u8x16, i8x16, i16x8>;
declare type i32x8 = LanesOf<'i32', 8>;
declare const i32x8: DotLanes<i32x8, 8, i32x8, u8x32, i8x32, i16x16>;
declare type i32x16 = LanesOf<'i32', 16>;
declare const i32x16: DotLanes<i32x16, 16, i32x16, u8x64, i8x64, i16x32>;
declare type i32x32 = LanesOf<'i32', 32>;
declare const i32x32: IntegerLanes<i32x32, 32, i32x32>;
declare type i32x64 = LanesOf<'i32', 64>;
declare const i32x64: IntegerLanes<i32x64, 64, i32x64>;

declare type i64x2 = LanesOf<'i64', 2>;
declare const i64x2: IntegerLanes<i64x2, 2, i64x2>;
declare type i64x4 = LanesOf<'i64', 4>;
declare const i64x4: IntegerLanes<i64x4, 4, i64x4>;
declare type i64x8 = LanesOf<'i64', 8>;
declare const i64x8: IntegerLanes<i64x8, 8, i64x8>;
declare type i64x16 = LanesOf<'i64', 16>;
declare const i64x16: IntegerLanes<i64x16, 16, i64x16>;
declare type i64x32 = LanesOf<'i64', 32>;
declare const i64x32: IntegerLanes<i64x32, 32, i64x32>;
declare type i64x64 = LanesOf<'i64', 64>;
declare const i64x64: IntegerLanes<i64x64, 64, i64x64>;

declare type u8x2 = LanesOf<'u8', 2>;
declare const u8x2: IntegerLanes<u8x2, 2, i8x2>;
declare type u8x4 = LanesOf<'u8', 4>;
declare const u8x4: IntegerLanes<u8x4, 4, i8x4>;
declare type u8x8 = LanesOf<'u8', 8>;
declare const u8x8: IntegerLanes<u8x8, 8, i8x8>;
declare type u8x16 = LanesOf<'u8', 16>;
declare const u8x16: IntegerLanes<u8x16, 16, i8x16>;
declare type u8x32 = LanesOf<'u8', 32>;
declare const u8x32: IntegerLanes<u8x32, 32, i8x32>;
declare type u8x64 = LanesOf<'u8', 64>;
declare const u8x64: IntegerLanes<u8x64, 64, i8x64>;

declare type u16x2 = LanesOf<'u16', 2>;
declare const u16x2: IntegerLanes<u16x2, 2, i16x2>;
declare type u16x4 = LanesOf<'u16', 4>;
declare const u16x4: IntegerLanes<u16x4, 4, i16x4>;
declare type u16x8 = LanesOf<'u16', 8>;
declare const u16x8: IntegerLanes<u16x8, 8, i16x8>;
declare type u16x16 = LanesOf<'u16', 16>;
declare const u16x16: IntegerLanes<u16x16, 16, i16x16>;
declare type u16x32 = LanesOf<'u16', 32>;
declare const u16x32: IntegerLanes<u16x32, 32, i16x32>;
declare type u16x64 = LanesOf<'u16', 64>;
declare const u16x64: IntegerLanes<u16x64, 64, i16x64>;

declare type u32x2 = LanesOf<'u32', 2>;
declare const u32x2: IntegerLanes<u32x2, 2, i32x2>;
declare type u32x4 = LanesOf<'u32', 4>;
declare const u32x4: IntegerLanes<u32x4, 4, i32x4>;
declare type u32x8 = LanesOf<'u32', 8>;
declare const u32x8: IntegerLanes<u32x8, 8, i32x8>;
declare type u32x16 = LanesOf<'u32', 16>;
declare const u32x16: IntegerLanes<u32x16, 16, i32x16>;
declare type u32x32 = LanesOf<'u32', 32>;
declare const u32x32: IntegerLanes<u32x32, 32, i32x32>;
declare type u32x64 = LanesOf<'u32', 64>;
declare const u32x64: IntegerLanes<u32x64, 64, i32x64>;

declare type u64x2 = LanesOf<'u64', 2>;
declare const u64x2: IntegerLanes<u64x2, 2, i64x2>;
declare type u64x4 = LanesOf<'u64', 4>;
declare const u64x4: IntegerLanes<u64x4, 4, i64x4>;
declare type u64x8 = LanesOf<'u64', 8>;
declare const u64x8: IntegerLanes<u64x8, 8, i64x8>;
declare type u64x16 = LanesOf<'u64', 16>;
declare const u64x16: IntegerLanes<u64x16, 16, i64x16>;
declare type u64x32 = LanesOf<'u64', 32>;
declare const u64x32: IntegerLanes<u64x32, 32, i64x32>;
declare type u64x64 = LanesOf<'u64', 64>;
declare const u64x64: IntegerLanes<u64x64, 64, i64x64>;

// -------------------------------------------------------------------------------------------------
// Assembly: what no other statement can say. Only guest/arch has any.

/**
 * What the text of assembly works with. A name that the text has in braces stands for a general
 * register that clang chooses; any other name is a register's: `{ eax: leaf }`. It must be as wide
 * as the value.
 */
interface AssemblyOperands {
  /** integers, pointers, function pointers; in a function */
  in?: { [name: string]: unknown };
  /**
   * local variables, written when the text has run. One of the same name in `in`: both are in one
   * register.
   */
  out?: { [name: string]: unknown };
  /**
   * what {name} stands for in the text: a function's or storage's symbol, or a constant's number
   */
  use?: { [name: string]: unknown };
  /** registers that the text changes besides; flags always count as changed */
  clobbers?: string[];
  /**
   * It neither reads nor writes memory. Otherwise all that may be in memory is there before, and
   * read again after.
   */
  memory?: false;
}

/**
 * Assembly, as the target's assembler reads it (x86: AT&T syntax). A statement: never left out,
 * never moved over another. At module level with `use` only; its sections and labels are its own
 * affair, and .text is where it starts. A brace is {{ or }}.
 *
 * @example
 * let low: u32 = 0;
 * let high: u32 = 0;
 * asm('rdmsr', { in: { ecx: register }, out: { eax: low, edx: high } });
 * asm('mov {value}, %cr3', { in: { value } });
 */
declare function asm(text: string, operands?: AssemblyOperands): void;

// -------------------------------------------------------------------------------------------------
// Types that tsc itself asks for. Guest code does not use them.

interface Array<T> {
  [index: number]: T;
  readonly length: number;
}
interface Boolean {
  readonly __boolean: never;
}
interface CallableFunction extends Function {}
interface Function {
  readonly __function: never;
}
interface IArguments {
  readonly __arguments: never;
}
interface NewableFunction extends Function {}
interface Number {
  readonly __number: never;
}
interface Object {}
interface RegExp {
  readonly __regexp: never;
}
interface String {
  /** bytes of its UTF-8 */
  readonly length: usize;
}
