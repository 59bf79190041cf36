/**
 * What the compiler has to know of a machine. Which instructions it has is clang's business
 * (`-march`), by macros in the C.
 */

export type Architecture = 'x86_64' | 'aarch64' | 'riscv64' | 'wasm32';

export interface Target {
  arch: Architecture;
}

export const ARCHITECTURES: readonly Architecture[] = ['x86_64', 'aarch64', 'riscv64', 'wasm32'];

/** Bytes of a pointer, `usize` and `isize`. */
export function pointerBytes(target: Target): number {
  return target.arch === 'wasm32' ? 4 : 8;
}
