const LEAF: u32 = 1;
const RATE: f32 = 1.5;
const table: FixedArray<u8> = [1, 2];
let total: u32 = 0;

asm('nop', { in: { eax: LEAF } });
asm(`call {start}; {lost}`, { use: { start, LEAF, RATE } });
asm();

function start(text: string, p: Ptr<u32>): void {
  const fixed: u32 = 1;
  let low: u32 = 0;
  let wide: u64 = 0;
  let part: f32 = 0;
  asm(text);
  asm('nop', { in: { rsp: wide, xmm0: part } });
  asm('nop', { in: { x0: wide } });
  asm('nop', { in: { eax: wide, rcx: text } });
  asm('nop', { out: { eax: fixed, ecx: total, edx: p[0], ebx: low + 1 } });
  asm('mov {a}, {b}', { out: { a: low } });
  asm('nop', { in: { eax: low, rax: wide }, out: { eax: low } });
  asm('nop', { in: { ecx: low }, clobbers: ['rcx', 'rip', 7] });
  asm('nop', { clobber: ['rcx'], memory: true, ...low });
  asm('nop', low);
  asm('nop {table}', { use: { table, low } });
  const x = asm('nop');
}
