import { type Leaf, readLeaf } from './features.ts';

/** The rate of the time stamp counter (TSC), which readTicks() reads. */

/**
 * What a hypervisor (leaf 4000_0010h, kHz) or the CPU itself (leaves 15h and 16h; Intel SDM vol. 2,
 * CPUID) says; or 0.
 */
export function toldHertz(): u64 {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 1, 0);
  if (leaf.ecx >> 31 != 0) {
    readLeaf(ref(leaf), 0x40000010, 0);
    if (leaf.eax != 0) return u64(leaf.eax) * 1000;
  }
  readLeaf(ref(leaf), 0x15, 0);
  if (leaf.eax == 0 || leaf.ebx == 0) return 0;
  if (leaf.ecx != 0) return (u64(leaf.ecx) * u64(leaf.ebx)) / u64(leaf.eax);
  readLeaf(ref(leaf), 0x16, 0);
  return u64(leaf.eax & 0xffff) * 1000000;
}
