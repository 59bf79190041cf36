// target wasm32
export function wrongMachine(): u64 {
  port.out8(1, 2);
  return cpu.rdtsc();
}
