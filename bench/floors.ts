/**
 * How near a machine's first character comes to the least that is possible: start of the QEMU
 * process → first own character on the serial port, of our images and of programs that do nothing
 * else (bench/apps/floor*.ts), in turn. By PVH on a microvm, and as an EFI application started by
 * OVMF. Emulated (TCG), one processor.
 * Usage: npx tsx bench/floors.ts MODEL [ROUNDS] [TOKENIZER]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compileToC, formatDiagnostics } from '../src/compiler/index.ts';
import { serialTransport, type Transport } from '../src/console/transport.ts';
import { buildStack, stackNamed } from '../src/stacks/index.ts';
import type { Manifest } from '../src/stacks/manifest.ts';
import { targetNamed } from '../src/toolchain/architectures.ts';
import {
  compileArguments,
  type GuestMachine,
  linkArguments,
  runTool,
} from '../src/toolchain/clang.ts';
import { findTool } from '../src/toolchain/find.ts';
import { archModules } from '../src/toolchain/guest.ts';
import { peFromElf } from '../src/toolchain/pe.ts';
import { startFirmware, startQemu } from '../src/toolchain/qemu.ts';
import { BASE_VARIANT } from '../src/toolchain/variants.ts';
import { describeMachine } from './machineState.ts';
import { findModel, repetitions } from './model.ts';
import { formatTable, median } from './table.ts';

/** ENQ: a guest of ours is ready. Firmware, which talks on the same line before, never says it. */
const OWN_CHARACTER = 0x05;
const LIMIT_MS = 60_000;

const model = await findModel();
const rounds = repetitions(11);
const tokenizer = process.argv[4];
const folder = mkdtempSync(join(tmpdir(), 'mu-floors-'));
try {
  const build = async (stack: 'unikernel' | 'metal') =>
    (await buildStack(stack, { model, tokenizer }, join(folder, stack))).manifest;
  const [unikernel, metal] = [await build('unikernel'), await build('metal')];
  console.log(`model: ${model}`);
  console.log(`machine: ${describeMachine()}`);
  console.log(`emulator: QEMU ${findTool('qemu').version}, TCG, one processor`);
  console.log(`medians (least-most) of ${rounds} rounds, ms\n`);
  console.log(
    formatTable([
      ['first character', 'floor', 'ours', 'ours ÷ floor', 'ours − floor'],
      ['PVH, microvm', ...(await compare(pvhFloor(unikernel), () => boot('unikernel', unikernel)))],
      ['UEFI, q35', ...(await compare(uefiFloor(metal), () => boot('metal', metal)))],
    ]),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function boot(stack: 'unikernel' | 'metal', manifest: Manifest): Transport {
  return stackNamed(stack).start({ folder: join(folder, stack), manifest, machine: 'microvm' });
}

function pvhFloor({ memory }: Manifest): () => Transport {
  const kernel = compile('pc', 'floorPvh');
  return () =>
    serialTransport(startQemu({ machine: 'microvm', kernel, memoryBytes: memory.total }));
}

function uefiFloor({ memory }: Manifest): () => Transport {
  const path = join(folder, 'floor-esp');
  const application = join(path, targetNamed('x86_64').uefi.application);
  mkdirSync(dirname(application), { recursive: true });
  writeFileSync(application, peFromElf(readFileSync(compile('uefi', 'floorUefi'))));
  const options = { firmware: 'uefi', medium: 'folder', path, screen: true } as const;
  return () => serialTransport(startFirmware({ ...options, memoryBytes: memory.total }));
}

/** The path of a program that needs nothing of guest/. */
function compile(machine: GuestMachine, name: string): string {
  const entry = join(import.meta.dirname, 'apps', `${name}.ts`);
  const { c, diagnostics } = compileToC({
    entry,
    modules: archModules(),
    target: { arch: 'x86_64' },
  });
  if (diagnostics.length > 0) throw new Error(formatDiagnostics(diagnostics));
  const [source, object, elf] = ['c', 'o', 'elf'].map((ending) =>
    join(folder, `${name}.${ending}`),
  );
  writeFileSync(source, c);
  runTool('clang', compileArguments(machine, BASE_VARIANT, source, object));
  runTool('lld', ['-s', ...linkArguments(machine, [object], elf)]);
  return elf;
}

/** In turn; who begins changes from round to round. */
async function compare(startFloor: () => Transport, startOurs: () => Transport): Promise<string[]> {
  const floors: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    const turns = [
      async () => floors.push(await firstCharacter(startFloor)),
      async () => ours.push(await firstCharacter(startOurs)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  return [
    summary(floors, 1),
    summary(ours, 1),
    summary(
      ours.map((time, i) => time / floors[i]),
      2,
    ),
    summary(
      ours.map((time, i) => time - floors[i]),
      1,
    ),
  ];
}

function summary(values: readonly number[], digits: number): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map(
    (value) => value.toFixed(digits),
  );
  return `${middle} (${least}-${most})`;
}

/** Milliseconds. */
async function firstCharacter(start: () => Transport): Promise<number> {
  const startedAt = performance.now();
  const machine = start();
  const limit = setTimeout(() => machine.kill(), LIMIT_MS);
  let text = '';
  try {
    return await new Promise<number>((resolve, reject) => {
      machine.onBytes((bytes) => {
        text += Buffer.from(bytes).toString('latin1');
        if (bytes.includes(OWN_CHARACTER)) resolve(performance.now() - startedAt);
      });
      machine.ended.then(() => reject(new Error(`no character came:\n${text}`)));
    });
  } finally {
    clearTimeout(limit);
    machine.kill();
    await machine.ended;
  }
}
