const PAGE: usize = 0x8000;
const STACK_BYTES: usize = 16384;
/** @align 16 */
const stacks = zeroed<FixedArray<u8, 32768>>();
let arrived: u32 = 0;

/** @generalRegisters */
function enter(number: usize): void {
  atomic.add<u32>(ref(arrived), u32(number) + 1);
}

export function place(): void {
  const code = cpu.startupCode(enter, changetype<usize>(ref(stacks[0])), STACK_BYTES);
  memory.copy(PAGE, code, 64);
}
