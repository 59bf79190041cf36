declare function noSymbol(): void;

/** @symbol with_body */
declare function withBody(): void {}

/** @symbol generic */
declare function generic<T>(x: T): void;

/**
 * @symbol inlined
 * @inline
 */
declare function inlined(): void;

declare const outside: i32;

export function run(): void {
  noSymbol();
}
