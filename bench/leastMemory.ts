/**
 * The least memory that each stack answers with: bisects QEMU's -m, in MiB. An answer counts if it
 * has the tokens that the same engine gives as a process of this machine.
 * Usage: npx tsx bench/leastMemory.ts [MODEL] [TOKENS] [TOKENIZER]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Guest } from '../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../src/console/settings.ts';
import { bootStack, buildStack, STACK_NAMES } from '../src/stacks/index.ts';
import type { Manifest } from '../src/stacks/manifest.ts';
import { prepareGuest } from '../src/stacks/prepare.ts';
import { startProcess } from '../src/stacks/process.ts';
import { cacheFolder } from '../src/toolchain/cache.ts';
import { describeMachine } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { formatTable } from './table.ts';

const MIB = 2 ** 20;
/**
 * A machine that has not answered by then will not: a kernel that runs out of memory just stops.
 */
const ANSWER_MS = 30_000;

const model = await findModel();
const tokens = repetitions(20);
const tokenizer = process.argv[4];
const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: tokens };
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const folder = mkdtempSync(join(cacheFolder(), 'bench/memory-'));
try {
  console.log(`model: ${model}; right: the first ${tokens} tokens of a process`);
  console.log(`machine: ${describeMachine()}\n`);
  const { guest, pack, memory } = await prepareGuest({ model, tokenizer, machine: 'process' });
  const right = await answerOf(startProcess({ elf: guest.elf, pack: pack.path, threads: 1 }));
  if (right === null) throw new Error('the engine does not answer as a process');
  const rows: string[][] = [];
  for (const name of STACK_NAMES) {
    const stack = join(folder, name);
    const { manifest } = await buildStack(name, { model, tokenizer }, stack);
    const least = await bisect(stack, manifest, right);
    const kept = (pack.bytes + memory.keyValueBytes) / MIB;
    rows.push([
      name,
      String(least),
      (least - kept).toFixed(1),
      String(Math.ceil(manifest.memory.total / MIB)),
    ]);
  }
  console.log(
    formatTable([
      ['', 'least, MiB', 'without pack and KV cache', 'what the manifest asks for'],
      ...rows,
    ]),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The least whole number of MiB. What works with less is taken to work with more. */
async function bisect(stack: string, manifest: Manifest, right: bigint): Promise<number> {
  const answers = async (mib: number) => {
    const memory = { ...manifest.memory, total: mib * MIB };
    const start = { folder: stack, manifest: { ...manifest, memory }, machine: 'microvm' as const };
    return (await answerOf(bootStack(start))) === right;
  };
  let enough = Math.ceil(manifest.memory.total / MIB);
  while (!(await answers(enough))) enough *= 2;
  let tooLittle = 0;
  while (enough - tooLittle > 1) {
    const middle = (enough + tooLittle) >> 1;
    const isEnough = await answers(middle);
    process.stderr.write(`${manifest.stack} ${middle} MiB: ${isEnough ? 'answers' : 'no'}\n`);
    if (isEnough) enough = middle;
    else tooLittle = middle;
  }
  return enough;
}

/** The hash of the answer's tokens; null if there is none. */
async function answerOf(guest: Guest): Promise<bigint | null> {
  const limit = setTimeout(() => guest.transport.kill(), ANSWER_MS);
  try {
    return (await guest.ask('', settings)).report.tokensHash;
  } catch {
    return null;
  } finally {
    clearTimeout(limit);
    guest.transport.kill(); // nobody waits for a machine that is out of memory to switch off
    await guest.ended;
  }
}
