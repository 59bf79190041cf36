import {
  apicIdentity,
  halt,
  hasApic,
  isFirstCore,
  prepareApic,
  send,
  startApic,
  WAKE_VECTOR,
  wakeOthers,
} from 'arch/apic';
import { moveToStack, pause } from 'arch/cpu';
import { enableFeatures } from 'arch/enable';
import { useExceptions } from 'arch/exceptions';
import { enterFirmware, leaveFirmware, sharedTables } from 'arch/firmwareState';
import { cli } from 'arch/instructions';
import { useTables } from 'arch/paging';
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
import { anyProtocol, systemTable } from './firmware.ts';
import { finishForOthers } from './power.ts';
import { MP_SERVICES, type MpServices } from './protocols.ts';
import { stackEnd } from './stacks.ts';

/**
 * The other cores: started by firmware, once and all together, in a procedure that never comes
 * back. From then on they are ours alone: stacks, page tables, exceptions. They sleep halted until
 * another core of ours sends a message by its APIC; the first core itself does not sleep while it
 * waits for them, since its interrupts are firmware's.
 */

/** Cores that have begun, in whatever order. */
let begun: u32 = 0;
/** APIC identities by a core's number, plus one; 0: not here. */
const identities = zeroed<FixedArray<u32, typeof MOST_CORES>>();
/** Without an APIC where we know it nobody can be woken: then nobody sleeps. */
let canSleep: bool = false;

/**
 * Once, when exceptions and memory's rights are set up. Without firmware's help the first core
 * works alone.
 */
export function startCores(): void {
  const others = min(countOthers(), u32(MOST_CORES) - 1);
  if (others == 0) return;
  prepareApic();
  canSleep = hasApic();
  startPool(wait, wake, yieldToNobody, SPINS);
  if (!startOthers()) return;
  haveArrived(i32(others), PATIENCE_TICKS);
  closeArrivals();
}

function services(): Ptr<MpServices> {
  return changetype<Ptr<MpServices>>(anyProtocol(ref(MP_SERVICES[0])));
}

function countOthers(): u32 {
  const mp = services();
  if (mp == null) return 0;
  let all: usize = 0;
  let enabled: usize = 1;
  enterFirmware();
  const status = mp.countProcessors(mp, ref(all), ref(enabled));
  leaveFirmware();
  return status == 0 && enabled > 0 ? u32(min(enabled - 1, 1024)) : 0;
}

/** The event, which never comes, is what makes firmware return at once. */
function startOthers(): bool {
  const mp = services();
  let event: usize = 0;
  enterFirmware();
  let status = systemTable().boot.createEvent(0, 0, 0, 0, ref(event));
  if (status == 0) status = mp.startAll(mp, enter, false, event, 0, 0, 0);
  leaveFirmware();
  return status == 0;
}

/**
 * Where another core begins, on firmware's stack, vector registers off. Who is one too many goes
 * back to sleep.
 * @generalRegisters
 */
function enter(_argument: usize): void {
  const number = atomic.add<u32>(ref(begun), 1) + 1;
  if (number >= u32(MOST_CORES)) return;
  cli();
  enableFeatures();
  moveToStack(stackEnd(usize(number)), join, usize(number));
}

function join(number: usize): void {
  if (sharedTables() != 0) useTables(sharedTables());
  useExceptions(number);
  if (canSleep) {
    startApic();
    identities[number] = apicIdentity() + 1;
  }
  arrive();
  while (true) pause();
}

/** Messages wake whoever sleeps, for whatever word: they look again. */
function wait(word: Ptr<u32>, value: u32): void {
  if (isFirstCore()) finishForOthers();
  else if (canSleep && atomic.load<u32>(word) == value) halt();
  else pause();
}

/** The first core never halts for others, and a message to it would be firmware's to understand. */
function wake(_word: Ptr<u32>): void {
  if (!canSleep) return;
  if (isFirstCore()) {
    wakeOthers();
    return;
  }
  const own = apicIdentity() + 1;
  for (let i: i32 = 1; i < MOST_CORES; i++) {
    if (identities[i] != 0 && identities[i] != own) send(identities[i] - 1, u32(WAKE_VECTOR));
  }
}
