/**
 * Registers by the names that assembly has for them: those that an operand can be in, and what else
 * can be clobbered.
 */

import type { Architecture } from '../target.ts';

export interface MachineRegister {
  bits: number;
  /** the same for all names of one register: al, eax and rax are all ax */
  family: string;
}

const X86_BITS: Record<string, number> = { r: 64, e: 32, '': 16, d: 32, w: 16, b: 8, l: 8 };

/** Without stack and frame pointer: what a function keeps there is the compiler's. */
const OPERANDS: Record<Architecture, (name: string) => MachineRegister | undefined> = {
  x86_64(name) {
    const [, wide, old] = /^([re]?)([abcd]x|[sd]i)$/.exec(name) ?? [];
    if (old !== undefined) return { bits: X86_BITS[wide], family: old };
    const [, low] = /^([abcd]|[sd]i)l$/.exec(name) ?? [];
    if (low !== undefined) return { bits: 8, family: low.length === 1 ? `${low}x` : low };
    const [, number, part] = /^r([89]|1[0-5])([dwb]?)$/.exec(name) ?? [];
    if (number === undefined) return undefined;
    return { bits: part === '' ? 64 : X86_BITS[part], family: number };
  },
  aarch64(name) {
    const [, kind, number] = /^([xw])(\d|1[0-79]|2[0-8]|30)$/.exec(name) ?? [];
    return kind === undefined ? undefined : { bits: kind === 'x' ? 64 : 32, family: number };
  },
  riscv64(name) {
    const isOne = /^(a[0-7]|t[0-6]|s[1-9]|s1[01]|ra)$/.test(name);
    return isOne ? { bits: 64, family: name } : undefined;
  },
  wasm32: () => undefined,
};

const VECTORS: Record<Architecture, RegExp> = {
  x86_64: /^([xyz]mm([12]?\d|3[01])|k[0-7])$/,
  aarch64: /^v([12]?\d|3[01])$/,
  riscv64: /^(v([12]?\d|3[01])|f(t|s)(\d|1[01])|fa[0-7])$/,
  wasm32: /^$/,
};

/** undefined: no register of this name can hold an operand. */
export function machineRegister(arch: Architecture, name: string): MachineRegister | undefined {
  return OPERANDS[arch](name);
}

export function canBeClobbered(arch: Architecture, name: string): boolean {
  return OPERANDS[arch](name) !== undefined || VECTORS[arch].test(name);
}
