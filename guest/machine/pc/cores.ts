import {
  apicIdentity,
  halt,
  hasApic,
  INIT,
  prepareApic,
  START_UP,
  send,
  startApic,
  wakeOthers,
} from 'arch/apic';
import { enableFeatures } from 'arch/enable';
import { useExceptions } from 'arch/exceptions';
import { stopTimer } from 'arch/idle';
import { ioWrite8 } from 'arch/io';
import { STARTUP_BYTES, startupCode } from 'arch/startup';
import {
  arrive,
  closeArrivals,
  haveArrived,
  PATIENCE_TICKS,
  SPINS,
  yieldToNobody,
} from '../arrivals.ts';
import { MOST_CORES } from '../limits.ts';
import { startPool } from '../pool.ts';
import {
  BASE_MEMORY_END,
  EXTENDED_BIOS_DATA,
  FIRMWARE_END,
  FIRMWARE_START,
  PAGE,
  PIC_MASK_1,
  PIC_MASK_2,
  STARTUP_PAGE,
} from './layout.ts';
import { isLimine, sendCores } from './limine.ts';
import { isMapped, useEntryTables, useProtection } from './paging.ts';
import { listAcpi, listMp, type Processors } from './processors.ts';
import { isStartupPageRam, rsdpAddress } from './startInfo.ts';

/**
 * The other cores, started all at once, then workers of the pool. Limine has them ready; else they
 * are found in firmware's tables. Where anything is missing (tables, an APIC where we know it, a
 * page to start in) the first core works alone.
 *
 * INIT, start-up, and once more start-up for whom the first one missed (Intel SDM vol. 3, 9.4.4.1).
 * The pauses there are for CPUs of the last century: Linux waits for none that has x86-64
 * (arch/x86/kernel/smpboot.c, init_udelay), nor do we.
 */
/** Ticks of the TSC, a few per nanosecond, until the second start-up message. */
const SECOND_TICKS: u64 = 1000000;

const processors = zeroed<Processors>();

/** Once, when tables, exceptions and memory's rights are set up. */
export function startCores(): void {
  if (!hasApic()) return;
  // The old interrupt controllers deliver where exceptions are: keep them quiet.
  ioWrite8(PIC_MASK_1, 0xff);
  ioWrite8(PIC_MASK_2, 0xff);
  prepareApic();
  startApic();
  stopTimer();
  startPool(wait, wake, yieldToNobody, SPINS);
  const others = isLimine() ? sendCores(enter) : startOthers();
  haveArrived(others, PATIENCE_TICKS);
  closeArrivals();
}

/** How many. */
function startOthers(): i32 {
  const others = findOthers();
  if (others == 0 || !isStartupPageRam()) return 0;
  placeStartupCode();
  sendOthers(INIT);
  sendOthers(START_UP | u32(STARTUP_PAGE / PAGE));
  if (!haveArrived(others, SECOND_TICKS)) sendOthers(START_UP | u32(STARTUP_PAGE / PAGE));
  return others;
}

/** Keeps the other processors' identities only, as many as there are stacks for; how many. */
function findOthers(): i32 {
  listAcpi(ref(processors), rsdpAddress(), isMapped);
  if (processors.count == 0) {
    listMp(ref(processors), EXTENDED_BIOS_DATA, BASE_MEMORY_END, isMapped);
  }
  if (processors.count == 0) listMp(ref(processors), FIRMWARE_START, FIRMWARE_END, isMapped);
  const own = apicIdentity();
  let others: i32 = 0;
  for (let i: i32 = 0; i < processors.count && others < MOST_CORES - 1; i++) {
    const identity = processors.identities[i];
    if (u32(identity) == own) continue;
    processors.identities[others] = identity;
    others += 1;
  }
  processors.count = others;
  return others;
}

/**
 * Others begin with the entry's tables, and we write there by them: in ours that page is read-only.
 */
function placeStartupCode(): void {
  useEntryTables();
  memory.copy(STARTUP_PAGE, startupCode(), STARTUP_BYTES);
  useProtection();
}

function sendOthers(command: u32): void {
  for (let i: i32 = 0; i < processors.count; i++) send(u32(processors.identities[i]), command);
}

/**
 * Where another core begins, on the stack of its number; until enableFeatures() it may not touch a
 * vector register, nor use tables that tell what cannot be executed.
 * @symbol startOther
 * @generalRegisters
 */
function enter(number: usize): void {
  enableFeatures();
  useProtection();
  join(number);
}

/** @noinline */
function join(number: usize): void {
  useExceptions(number + 1);
  startApic();
  arrive();
}

/** Messages wake whoever sleeps, for whatever word: they look again. */
function wait(word: Ptr<u32>, value: u32): void {
  if (atomic.load<u32>(word) == value) halt();
}

function wake(_word: Ptr<u32>): void {
  wakeOthers();
}
