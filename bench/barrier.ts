/**
 * What it costs to share out a job: parallel() of a job on all cores beside the same job alone,
 * right after another one, and when all workers sleep. As a process, and on a PC in QEMU, emulated.
 * Usage: npx tsx bench/barrier.ts [CORES] [RUNS]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../src/toolchain/children.ts';
import { compileGuest } from '../src/toolchain/guest.ts';
import { startQemu } from '../src/toolchain/qemu.ts';
import { describeMachine } from './machineState.ts';
import { formatTable, median } from './table.ts';

const MACHINES = ['process', 'microvm', 'q35'] as const;
const APP = join(import.meta.dirname, '../tests/boot/apps/barrier.ts');

const cores = Number(process.argv[2] ?? 2);
const runs = Number(process.argv[3] ?? 5);
const folder = mkdtempSync(join(tmpdir(), 'mu-barrier-'));
const pack = join(folder, 'pack');
writeFileSync(pack, 'x');
try {
  console.log(`machine: ${describeMachine()}; ${cores} cores, medians of ${runs} (least)\n`);
  const rows: string[][] = [];
  for (const machine of MACHINES) {
    const results: number[][] = [];
    for (let run = 0; run < runs; run++) results.push(await measure(machine));
    const column = (i: number) => {
      const values = results.map((result) => result[i]);
      return `${median(values)} (${Math.min(...values)})`;
    };
    rows.push([machine, column(0), column(1)]);
  }
  console.log(formatTable([['', 'a job, ns', 'a job for sleepers, ns'], ...rows]));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Nanoseconds of a job, awake and asleep, from one run of the app. */
async function measure(machine: (typeof MACHINES)[number]): Promise<number[]> {
  const onPc = machine !== 'process';
  const { elf } = await compileGuest({
    machine: onPc ? 'pc' : 'process',
    app: APP,
    constants: {},
  });
  const child = onPc
    ? startQemu({ machine, kernel: elf, initrd: pack, memoryBytes: 64 << 20, processors: cores })
    : startChild(elf, [pack, String(cores)]);
  let output = '';
  for await (const text of child.stdout.setEncoding('latin1')) output += text;
  const [, counted, awake, asleep] =
    /^cores (\d+)\nnanoseconds per job (\d+)\nnanoseconds from sleep (\d+)\n$/.exec(output) ?? [];
  if (Number(counted) !== cores) throw new Error(`${machine}: unexpected output:\n${output}`);
  return [Number(awake), Number(asleep)];
}
