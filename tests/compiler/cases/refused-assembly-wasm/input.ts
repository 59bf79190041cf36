// target wasm32
asm('nop');

export function halt(x: u32): void {
  asm('hlt', { in: { eax: x }, clobbers: ['rcx'] });
}
