import { moveToStack } from 'arch/cpu';
import { CORE_STACK_BYTES, MOST_CORES } from '../limits.ts';
import { keepPlaces, refuse } from './handover.ts';
import { IMAGE_STACK_GUARD, LARGE_PAGE } from './layout.ts';
import { useEntryTables, useProtection } from './paging.ts';

/**
 * The Limine boot protocol (Limine's PROTOCOL.md, base revision 2): the loader finds these tables
 * in the image and writes the address of its answer into each. Its page tables, in use until
 * paging.ts has made ours, show RAM at `offset` above where it is.
 *
 * A request: four words of name, of which all have the first two, revision, address of the answer.
 */
const MAGIC: u64 = 0xc7b1dd30df4c8b88;
const MAGIC_2: u64 = 0x0a82e883a194f07b;
const ANSWER: usize = 5;

/** The loader writes 0 over a revision that it follows. */
const BASE_REVISION: FixedArray<u64> = [0xf9562b2d5c95a6c8, 0x6a7b384944536bdc, 2];
const HHDM: FixedArray<u64> = [MAGIC, MAGIC_2, 0x48dcf1cb8ad2b852, 0x63984e959a98244b, 0, 0];
const KERNEL: FixedArray<u64> = [MAGIC, MAGIC_2, 0x71ba76863cc55f63, 0xb2644a48c516a487, 0, 0];
const MODULES: FixedArray<u64> = [MAGIC, MAGIC_2, 0x3e7e279702be32af, 0xca1c4f3bd1280cee, 0, 0];
/** The last word holds flags: no x2APIC, whose registers are not in memory. */
const CORES: FixedArray<u64> = [MAGIC, MAGIC_2, 0x95a67b819a1b857e, 0xa0b61b723b6a73e0, 0, 0, 0];

/** "Higher half direct map". */
class HigherHalfMap {
  revision!: u64;
  offset!: u64;
}

class KernelAddress {
  revision!: u64;
  physical!: u64;
  virtual!: u64;
}

class Modules {
  revision!: u64;
  count!: u64;
  list!: Ptr<Ptr<File>>;
}

/** The start of struct limine_file. */
class File {
  revision!: u64;
  address!: u64;
  length!: u64;
}

class Processors {
  revision!: u64;
  flags!: u32;
  /** identity of the first core's local APIC */
  first!: u32;
  count!: u64;
  list!: Ptr<Ptr<Processor>>;
}

class Processor {
  number!: u32;
  identity!: u32;
  reserved!: u64;
  /** written: where it begins, on a stack of Limine's, with the address of this as its argument */
  goto!: u64;
  /** ours */
  argument!: u64;
}

/** Whether it was Limine that started us. */
let isHere: bool = false;
let enter: (number: usize) => void = null;

export function isLimine(): bool {
  return isHere;
}

/**
 * Stops with a message if something is missing. Limine itself has seen to it that image and pack
 * lie in RAM.
 * @generalRegisters
 */
export function readAnswers(): void {
  if (volatile.load<u64>(changetype<usize>(ref(BASE_REVISION[2]))) != 0)
    refuse('the loader handed over neither hvm_start_info (PVH) nor answers of Limine 8 or newer');
  const map = changetype<Ptr<HigherHalfMap>>(answer(ref(HHDM[0])));
  const kernel = changetype<Ptr<KernelAddress>>(answer(ref(KERNEL[0])));
  if (map == null || kernel == null) refuse('Limine does not say where it has put the image');
  if (kernel.physical % u64(LARGE_PAGE) != 0)
    refuse('Limine has put the image on no multiple of 2 MiB');
  const modules = changetype<Ptr<Modules>>(answer(ref(MODULES[0])));
  if (modules == null || modules.count == 0)
    refuse('no model pack: hand it over as module (limine.conf: module_path)');
  const file = modules.list[0];
  if (file.address < map.offset) refuse('Limine has put the model pack outside of its map of RAM');
  keepPlaces(kernel.physical, file.address - map.offset, file.length);
  isHere = true;
}

/** Its address; 0: none. @generalRegisters */
function answer(request: Ptr<u64>): usize {
  return volatile.load<usize>(changetype<usize>(ref(request[ANSWER])));
}

/**
 * Sends the other cores, as many as there are stacks for, into start(number), on the stack of that
 * number: 0, 1, … How many.
 */
export function sendCores(start: (number: usize) => void): i32 {
  const processors = changetype<Ptr<Processors>>(answer(ref(CORES[0])));
  if (processors == null) return 0;
  enter = start;
  useEntryTables();
  let count: i32 = 0;
  for (let i: u64 = 0; i < processors.count && count < MOST_CORES - 1; i++) {
    const processor = processors.list[i];
    if (processor.identity == processors.first) continue;
    processor.argument = u64(count);
    atomic.store<u64>(ref(processor.goto), u64(changetype<usize>(begin)));
    count++;
  }
  useProtection();
  return count;
}

/** @generalRegisters */
function begin(processor: Ptr<Processor>): void {
  const number = usize(processor.argument);
  const end = load<usize>(IMAGE_STACK_GUARD) + (number + 1) * CORE_STACK_BYTES;
  moveToStack(end, enter, number);
}
