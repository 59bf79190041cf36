import { type Leaf, readLeaf } from 'arch/features';
import { addText, type Line } from '../line.ts';
import { stopWith } from '../panic.ts';
import { isWithin } from '../ranges.ts';
import { MAPPED, PACK_LIMIT } from './layout.ts';

/** What a loader hands over, whichever it is: startInfo.ts and limine.ts read it. */
let pack: Ptr<u8> = null;
let packBytes: usize = 0;
let image: u64 = 0;

export function packStart(): Ptr<u8> {
  return pack;
}

export function packLength(): usize {
  return packBytes;
}

/** Where the image's bytes lie in RAM, on a multiple of 2 MiB. */
export function imageAddress(): u64 {
  return image;
}

/**
 * Keeps where the image and the pack lie in RAM; stops with a message if the pack cannot be used
 * there.
 * @generalRegisters
 */
export function keepPlaces(imageStart: u64, start: u64, length: u64): void {
  if (length == 0) refuse('the model pack is empty');
  if (!isWithin(start, length, MAPPED) && !hasHugePages())
    refuse('the model pack lies above 4 GiB, which a CPU without pages of 1 GiB does not reach');
  if (!isWithin(start, length, PACK_LIMIT)) refuse('the model pack lies above 510 GiB');
  image = imageStart;
  pack = changetype<Ptr<u8>>(usize(start));
  packBytes = usize(length);
}

/** Pages of 1 GiB: leaf 80000001, edx bit 26. @generalRegisters */
function hasHugePages(): bool {
  const leaf = zeroed<Leaf>();
  readLeaf(ref(leaf), 0x80000001, 0);
  return (leaf.edx & (1 << 26)) != 0;
}

/** @generalRegisters */
export function refuse(problem: string): void {
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: ');
  addText(ref(line), problem);
  addText(ref(line), '\n');
  stopWith(ref(line));
}
