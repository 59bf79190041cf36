/**
 * What the memory can do, for the host: the other program behind `mu bench`
 * (src/measure/speedGuests.ts). It knows no model. Requests and answers are plain binary, little
 * endian, one after the other until the end of input:
 *
 *   guest → host   ENQ (05): ready for a request
 *   host → guest   u32 cores: 1 … coreCount() read memory; 0: a cache line goes to and fro
 *   guest → host   u64 bytes read, or hops; u64 nanoseconds of the best pass, or batch
 *
 * A request out of these bounds gets one line of text and exit code 1.
 */
import { coreCount, type MAX_CORES, now, parallel, preferLargePages } from 'machine';
import { Control } from '../console/characters.ts';
import { sayByte } from '../console/say.ts';
import { END, readWord, refuse, writeLong } from '../console/words.ts';

/** 512 MiB: no cache holds it. */
const BUFFER_BYTES: usize = 536870912;
/** @align 2097152 */
const buffer = zeroed<FixedArray<u8, 536870912>>();

const PASSES: i32 = 5;
/** Places that a core reads at in turn: each is prefetched by itself. */
const STREAMS: usize = 4;
const LANES: usize = 64;

/**
 * Round trips of a cache line in a batch, and batches: two cores that are far apart take 10 ms for
 * them all.
 */
const ROUND_TRIPS: u32 = 200;
const BATCHES: u32 = 100;
/** Two threads that have to share one core would take for ever. */
const LONGEST_NANOS: u64 = 100000000;
const STOP: u32 = 0xffffffff;

/** Alone on its cache line, and on the one beside it that is fetched along. */
class Word {
  value!: u32;
  reserved!: FixedArray<u32, 31>;
}

/** @align 128 */
const ball = zeroed<Word>();
/** @align 128 */
const seen = zeroed<FixedArray<Word, typeof MAX_CORES>>();

// What the jobs of `parallel` work on: no closures here
let readers: i32 = 1;
let bestBatch: u64 = 0;

export function main(): void {
  preferLargePages(ref(buffer[0]), BUFFER_BYTES);
  parallel(fillJob); // pages that were never written are all one page of zeros
  while (true) {
    sayByte(Control.Enquiry);
    const cores = readWord();
    if (cores == END) return;
    if (cores > coreCount()) refuse('bandwidth: fewer cores than that\n');
    if (cores == 0) measureHop();
    else measureReads(i32(cores));
  }
}

function fillJob(core: i32, cores: i32): void {
  const share = shareOf(cores);
  memory.fill(ref(buffer[usize(core) * share]), 1, share);
}

/** Bytes for each of so many cores. */
function shareOf(cores: i32): usize {
  const unit = STREAMS * LANES;
  return (BUFFER_BYTES / usize(cores) / unit) * unit;
}

function measureReads(cores: i32): void {
  readers = cores;
  let best: u64 = u64.MAX_VALUE;
  for (let pass: i32 = 0; pass < PASSES; pass++) {
    const start = now();
    parallel(readJob);
    best = min(best, now() - start);
  }
  writeLong(u64(shareOf(cores)) * u64(cores));
  writeLong(best);
}

function readJob(core: i32, cores: i32): void {
  if (core >= readers) return;
  const share = shareOf(readers);
  const stream = share / STREAMS;
  const a = ref(buffer[usize(core) * share]);
  const b = ref(a[stream]);
  const c = ref(b[stream]);
  const d = ref(c[stream]);
  let sumA = u8x64.splat(0);
  let sumB = u8x64.splat(0);
  let sumC = u8x64.splat(0);
  let sumD = u8x64.splat(0);
  for (let i: usize = 0; i < stream; i += LANES) {
    sumA = u8x64.xor(sumA, u8x64.load(ref(a[i])));
    sumB = u8x64.xor(sumB, u8x64.load(ref(b[i])));
    sumC = u8x64.xor(sumC, u8x64.load(ref(c[i])));
    sumD = u8x64.xor(sumD, u8x64.load(ref(d[i])));
  }
  const sum = u8x64.xor(u8x64.xor(sumA, sumB), u8x64.xor(sumC, sumD));
  volatile.store<u32>(ref(seen[core].value), u32(u8x64.maxLane(sum))); // somebody wants to know
}

function measureHop(): void {
  if (coreCount() < 2) refuse('bandwidth: one core has no other to hop to\n');
  bestBatch = u64.MAX_VALUE;
  ball.value = 0;
  parallel(hopJob);
  writeLong(u64(ROUND_TRIPS) * 2);
  writeLong(bestBatch);
}

/**
 * Core 0 sends odd numbers, core 1 the even ones that follow them. No pause: it would be measured
 * as well.
 */
function hopJob(core: i32, cores: i32): void {
  if (core == 0) send();
  else if (core == 1) sendBack();
}

function send(): void {
  const begin = now();
  let next: u32 = 1;
  let start = begin;
  for (let batch: u32 = 0; batch < BATCHES && start - begin < LONGEST_NANOS; batch++) {
    for (let i: u32 = 0; i < ROUND_TRIPS; i++) {
      atomic.store<u32>(ref(ball.value), next);
      while (atomic.load<u32>(ref(ball.value)) == next) {}
      next += 2;
    }
    const end = now();
    bestBatch = min(bestBatch, end - start);
    start = end;
  }
  atomic.store<u32>(ref(ball.value), STOP);
}

function sendBack(): void {
  while (true) {
    const got = atomic.load<u32>(ref(ball.value));
    if (got == STOP) return;
    if ((got & 1) == 1) atomic.store<u32>(ref(ball.value), got + 1);
  }
}
