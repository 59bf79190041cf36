/** The instruction that a trap of the language becomes: ud2, which no CPU has. */
const UD2: u16 = 0x0b0f;

/** Whether the instruction that a CPU refused is such a trap. @generalRegisters */
export function isTrap(address: u64): bool {
  return load<u16>(usize(address)) == UD2;
}
