/**
 * How long a booted model takes: start of the QEMU process → first byte on the serial line → ready
 * → first token of an answer. Emulated (TCG): the machine code's own share is what "entry" columns
 * show, by the guest's clock.
 * Usage: npx tsx bench/boot.ts [MODEL] [RUNS] [TOKENIZER]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_SETTINGS } from '../src/console/settings.ts';
import { bootStack, buildStack } from '../src/stacks/index.ts';
import type { Manifest } from '../src/stacks/manifest.ts';
import { cacheFolder } from '../src/toolchain/cache.ts';
import { findTool } from '../src/toolchain/find.ts';
import { QEMU_MACHINES, type QemuMachine } from '../src/toolchain/qemu.ts';
import { describeMachine } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { formatTable, median } from './table.ts';

const PROMPT = 'Why is the sky blue?';

/** Milliseconds since the QEMU process was started, and by the guest's clock since its entry. */
interface Boot {
  firstByte: number;
  ready: number;
  firstToken: number;
  entryToReady: number;
  entryToFirstToken: number;
}

const model = await findModel();
const runs = repetitions(7);
const tokenizer = process.argv[4];
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const folder = mkdtempSync(join(cacheFolder(), 'bench/boot-'));
try {
  const { manifest, prepared } = await buildStack('unikernel', { model, tokenizer }, folder);
  console.log(`model: ${model}, ${prepared.pack.bytes} bytes packed`);
  console.log(`machine: ${describeMachine()}`);
  console.log(
    `emulator: QEMU ${findTool('qemu').version}, TCG, one processor; start and quit ${quit()} ms`,
  );
  console.log(`medians of ${runs} runs, ms\n`);
  const rows: string[][] = [];
  for (const machine of QEMU_MACHINES) rows.push([machine, ...(await measure(machine, manifest))]);
  console.log(
    formatTable([
      ['', 'first byte', 'ready', 'first token', 'entry → ready', 'entry → first token'],
      ...rows,
    ]),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(machine: QemuMachine, manifest: Manifest): Promise<string[]> {
  const boots: Boot[] = [];
  for (let run = 0; run < runs; run++) boots.push(await bootOnce(machine, manifest));
  const keys = ['firstByte', 'ready', 'firstToken', 'entryToReady', 'entryToFirstToken'] as const;
  return keys.map((key) => median(boots.map((boot) => boot[key])).toFixed(1));
}

async function bootOnce(machine: QemuMachine, manifest: Manifest): Promise<Boot> {
  const guest = bootStack({ folder, manifest, machine }, { readyTimeout: 120_000 });
  try {
    const settings = { ...DEFAULT_SETTINGS, temperature: 0, predict: 1 };
    const { report } = await guest.ask(PROMPT, settings);
    const { firstByte, ready, firstToken } = guest.timeline;
    if (firstByte === undefined || ready === undefined || firstToken === undefined) {
      throw new Error(`the guest answered without a first byte: ${guest.consoleText()}`);
    }
    return {
      firstByte,
      ready,
      firstToken,
      entryToReady: Number(report.entryToReadyNanos) / 1e6,
      entryToFirstToken: Number(report.entryToFirstTokenNanos) / 1e6,
    };
  } finally {
    await guest.close();
  }
}

/** What QEMU takes to start and quit without a guest: the part of each figure that is not ours. */
function quit(): string {
  const command = findTool('qemu').command ?? [];
  const options = ['-M', 'none', '-nodefaults', '-display', 'none', '-monitor', 'stdio'];
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    spawnSync(command[0], [...command.slice(1), ...options], { input: 'quit\n' });
    return performance.now() - start;
  });
  return median(times).toFixed(1);
}
