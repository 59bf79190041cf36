/**
 * How long a Linux takes to the prompt: start of the QEMU process → ready, on our two Linux stacks
 * and on Debian's cloud kernel with the same engine and pack as its first process, the machines in
 * turn. And what Debian does by itself: its kernel and its own initrd, until that initrd's script
 * says its first word; there is no prompt then yet. Emulated (TCG).
 * Usage: npx tsx bench/linuxBoot.ts [MODEL] [RUNS] [TOKENIZER]
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connectGuest } from '../src/console/guest.ts';
import { serialTransport } from '../src/console/transport.ts';
import { writeCpio } from '../src/image/cpio.ts';
import { dietInitramfs } from '../src/image/initramfs.ts';
import { bootStack, buildStack } from '../src/stacks/index.ts';
import type { PreparedGuest } from '../src/stacks/prepare.ts';
import { cacheFolder } from '../src/toolchain/cache.ts';
import { type Child, killChild } from '../src/toolchain/children.ts';
import { findTool } from '../src/toolchain/find.ts';
import { QEMU_COMMAND_LINE } from '../src/toolchain/kernel.ts';
import { QEMU_MACHINES, type QemuMachine, startQemu } from '../src/toolchain/qemu.ts';
import { describeMachine } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { formatTable, median } from './table.ts';

const LIMIT_MS = 60_000;
/** Enough for Debian's initrd; memory that is not touched costs next to nothing. */
const MEMORY_BYTES = 512 * 2 ** 20;
const CONSOLE = 'console=ttyS0';

/** One way to boot: milliseconds from the start of QEMU to its end point. */
interface Contender {
  name: string;
  boot(machine: QemuMachine): Promise<number>;
}

const model = await findModel();
const runs = repetitions(7);
const tokenizer = process.argv[4];
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const folder = mkdtempSync(join(cacheFolder(), 'bench/linux-'));
try {
  const contenders: Contender[] = [];
  let prepared: PreparedGuest | undefined;
  for (const name of ['diet', 'linux'] as const) {
    const stack = join(folder, name);
    const build = await buildStack(name, { model, tokenizer, onStep: () => {} }, stack);
    prepared = build.prepared;
    const { manifest } = build;
    const boot = (machine: QemuMachine) =>
      untilReady(bootStack({ folder: stack, manifest, machine }));
    contenders.push({ name: `${name}: ready`, boot });
  }
  if (prepared) contenders.push(...(await debian(prepared)));

  console.log(`model: ${model}, ${prepared?.pack.bytes} bytes packed`);
  console.log(`machine: ${describeMachine()}`);
  console.log(`emulator: QEMU ${findTool('qemu').version}, TCG, one processor`);
  console.log(`medians (least-most) of ${runs} runs, ms, all in turn\n`);
  const times = new Map<string, number[]>();
  for (let run = 0; run < runs; run++) {
    process.stderr.write(`run ${run + 1} of ${runs}\n`);
    for (const { name, boot } of contenders) {
      for (const machine of QEMU_MACHINES) {
        const key = `${name} ${machine}`;
        times.set(key, [...(times.get(key) ?? []), await boot(machine)]);
      }
    }
  }
  console.log(
    formatTable([
      ['', ...QEMU_MACHINES],
      ...contenders.map(({ name }) => [
        name,
        ...QEMU_MACHINES.map((machine) => summary(times.get(`${name} ${machine}`) ?? [])),
      ]),
    ]),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function summary(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(0)} (${least.toFixed(0)}-${most.toFixed(0)})`;
}

/**
 * Debian's kernel with our engine, and with its own initrd; none where the package is not
 * installed.
 */
async function debian({ guest, pack }: PreparedGuest): Promise<Contender[]> {
  const version = readdirSync('/boot')
    .map((name) => /^vmlinuz-(.*-cloud-amd64)$/.exec(name)?.[1])
    .find((version) => version !== undefined);
  if (version === undefined) {
    console.log('without Debian’s kernel: apt-get install linux-image-cloud-amd64 brings it');
    return [];
  }
  const kernel = `/boot/vmlinuz-${version}`;
  const initrd = join(folder, 'debian.cpio');
  await writeCpio(initrd, dietInitramfs(guest.stripped, pack.path));
  const start = (machine: QemuMachine, initrd: string, words: string) =>
    startQemu({
      ...{ machine, kernel, initrd, memoryBytes: MEMORY_BYTES },
      commandLine: `${CONSOLE} ${words}`,
    });
  return [
    {
      name: `Debian ${version}, our engine as /init: ready`,
      boot: (machine) => {
        const startedAt = performance.now();
        return untilReady(
          connectGuest(
            serialTransport(start(machine, initrd, `quiet ${QEMU_COMMAND_LINE} -- reset`)),
            {
              startedAt,
            },
          ),
        );
      },
    },
    {
      name: `Debian ${version}, its initrd: first line of its /init`,
      boot: (machine) =>
        untilText('Loading, please wait', () =>
          start(machine, `/boot/initrd.img-${version}`, 'loglevel=0'),
        ),
    },
  ];
}

async function untilReady(guest: ReturnType<typeof connectGuest>): Promise<number> {
  try {
    await guest.ready();
    return guest.timeline.ready ?? Number.NaN;
  } finally {
    guest.transport.kill();
    await guest.ended;
  }
}

async function untilText(text: string, start: () => Child): Promise<number> {
  const startedAt = performance.now();
  const child = start();
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const limit = setTimeout(() => killChild(child), LIMIT_MS);
  let output = '';
  try {
    return await new Promise<number>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString('latin1');
        if (output.includes(text)) resolve(performance.now() - startedAt);
      });
      child.once('close', () => reject(new Error(`"${text}" did not come:\n${output}`)));
    });
  } finally {
    clearTimeout(limit);
    killChild(child);
    await closed;
  }
}
