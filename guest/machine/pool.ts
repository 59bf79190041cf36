import { pause } from 'arch/cpu';
/**
 * Cores that share out jobs: the same pool on every machine, which brings cores, a way to sleep and
 * a way to wake. Core 0 publishes a job by one store, runs its own share, and reads each worker's
 * word until all say that they are done. Who waits spins for a while (a share of a matrix takes
 * microseconds) and then sleeps, so that a machine that waits for its user rests.
 *
 *   published  ──▶ workers: round and job         done[i] ──▶ core 0: worker i's share is done
 *   sleeping   ──▶ core 0: somebody must be woken  awaited ──▶ worker: core 0 sleeps for you
 *
 *   signals[i] ──▶ core i: within a job, others have come to the barrier
 *
 * Each word lies in its own cache line and has one writer, but for `sleeping`, which nobody writes
 * while all are awake: a job costs each worker one line from core 0, and core 0 one line from each
 * worker; a barrier of two cores one line in each direction at the same time.
 *
 * A sleeper first says that it sleeps, then reads the word again (wait() does, see startPool), then
 * sleeps; the other side first changes the word, then looks for sleepers. With sequentially
 * consistent atomics no wake-up is lost.
 */
export const MAX_CORES: i32 = 64;

/**
 * Every so many-th spin yields to others: the one that we wait for may stand in line for this very
 * CPU, where a kernel likes to leave threads that take turns. Two threads on one CPU share out a
 * job in 5 µs then; with every 100th spin in 8, every 1,000th in 53.
 */
const SPINS_PER_YIELD: i32 = 30;

/** Rounds of a barrier: 2^6 = MAX_CORES. */
const ROUNDS: i32 = 6;
const SIGNALS: i32 = MAX_CORES * ROUNDS;

/** Each word has its own 128 bytes: neighbouring cache lines are fetched in pairs. */
class Word {
  value!: u32;
  reserved!: FixedArray<u32, 31>;
}

/**
 * Low half: how far the job's code lies from this very storage, which all units of a program share;
 * an image is smaller than 2 GiB. High half: the round, counted up for each job.
 */
class Publication {
  job!: u32;
  round!: u32;
  reserved!: FixedArray<u32, 30>;
}

/** @align 128 */
const published = zeroed<Publication>();
/** The last round that worker i has done. @align 128 */
const done = zeroed<FixedArray<Word, typeof MAX_CORES>>();
/** Workers that sleep. @align 128 */
const sleeping = zeroed<Word>();
/** The worker that core 0 sleeps for; 0: none. @align 128 */
const awaited = zeroed<Word>();

/** Barriers that core i has come to. @align 128 */
const passed = zeroed<FixedArray<Word, typeof MAX_CORES>>();
/** [core][round]: the last barrier that the core before it in this round has come to. @align 128 */
const signals = zeroed<FixedArray<Word, typeof SIGNALS>>();

let cores: i32 = 1;
let spins: i32 = 0;
let wait: (word: Ptr<u32>, value: u32) => void = null;
let wake: (word: Ptr<u32>) => void = null;
let yieldCpu: () => void = null;

export function coreCount(): i32 {
  return cores;
}

/**
 * Before the first worker. waitFor: returns at once if *word is not `value`, else when somebody
 * wakes those who sleep for the word, or earlier. wakeAll: wakes all that sleep for the word.
 * yieldTo: lets another thread have the CPU: the one that we wait for may stand in line for this
 * very one. count: spins before going to sleep.
 */
export function startPool(
  waitFor: (word: Ptr<u32>, value: u32) => void,
  wakeAll: (word: Ptr<u32>) => void,
  yieldTo: () => void,
  count: i32,
): void {
  spins = count;
  wait = waitFor;
  wake = wakeAll;
  yieldCpu = yieldTo;
}

/**
 * How many there are, core 0 included, at most MAX_CORES; worker i of them is in work(i) or will
 * be. Before the first job.
 */
export function setCoreCount(count: i32): void {
  cores = count;
}

/**
 * Runs task(i, coreCount()) once for each i, one per core; returns when all are done. Not to be
 * nested.
 */
export function parallel(task: (index: i32, count: i32) => void): void {
  if (cores == 1) {
    task(0, 1);
    return;
  }
  const round = published.round + 1;
  const job = u64(changetype<usize>(task) - changetype<usize>(ref(published))) & 0xffffffff;
  atomic.store<u64>(ref(published), (u64(round) << 32) | job);
  if (atomic.load<u32>(ref(sleeping.value)) != 0) wake(ref(published.round));
  task(0, cores);
  for (let i: i32 = 1; i < cores; i++) awaitWorker(i, round);
}

function awaitWorker(index: i32, round: u32): void {
  const word = ref(done[index].value);
  if (spin(word, round - 1) == round) return;
  atomic.store<u32>(ref(awaited.value), u32(index));
  while (atomic.load<u32>(word) != round) wait(word, round - 1);
  atomic.store<u32>(ref(awaited.value), 0);
}

/**
 * Within a job that all cores run: returns when every core has called it as often. In round r each
 * core signals to the 2^r-th after it and waits for the 2^r-th before it, so that after the last
 * round it has heard of all (Hensgen, Finkel & Manber 1988).
 */
export function barrier(core: i32): void {
  if (cores == 1) return;
  const count = passed[core].value + 1;
  passed[core].value = count;
  let round: i32 = 0;
  for (let distance: i32 = 1; distance < cores; distance *= 2) {
    const word = ref(signals[((core + distance) % cores) * ROUNDS + round].value);
    atomic.store<u32>(word, count);
    if (atomic.load<u32>(ref(sleeping.value)) != 0) wake(word);
    awaitOther(ref(signals[core * ROUNDS + round].value), count - 1);
    round += 1;
  }
}

/** What a worker does for the rest of its life. index: 1 … MAX_CORES - 1 */
export function work(index: i32): void {
  const word = ref(done[index].value);
  let round: u32 = 0;
  while (true) {
    awaitOther(ref(published.round), round); // never two rounds on: core 0 waits for all
    round += 1;
    const job = u32(atomic.load<u64>(ref(published)) & 0xffffffff);
    const address = changetype<usize>(ref(published)) + usize(isize(i32(job)));
    changetype<(index: i32, count: i32) => void>(address)(index, cores);
    atomic.store<u32>(word, round);
    if (atomic.load<u32>(ref(awaited.value)) == u32(index)) wake(word);
  }
}

/** Waits until the word is something else than `value`; it never becomes that again. */
function awaitOther(word: Ptr<u32>, value: u32): void {
  if (spin(word, value) != value) return;
  atomic.add<u32>(ref(sleeping.value), 1);
  while (atomic.load<u32>(word) == value) wait(word, value);
  atomic.sub<u32>(ref(sleeping.value), 1);
}

/** Spins until the word is something else than `value`, or long enough; gives what it was last. */
function spin(word: Ptr<u32>, value: u32): u32 {
  for (let i: i32 = 0; i < spins; i++) {
    const now = atomic.load<u32>(word);
    if (now != value) return now;
    if (i % SPINS_PER_YIELD == SPINS_PER_YIELD - 1) yieldCpu();
    else pause();
  }
  return value;
}
