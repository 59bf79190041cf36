/**
 * What is broken on purpose, and the one line that each machine says then: docs/faults.md shows
 * what came out. UPDATE=1 writes its table anew.
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openModel } from '../../src/model/index.ts';
import { createPack, writePack } from '../../src/pack/index.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { connectQmp, type Qmp } from '../../src/toolchain/qmp.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { sampler } from '../sample.ts';
import {
  LEFT_OUT,
  PLACES,
  type Place,
  PREPARE_LIMIT,
  prepare,
  type StartOptions,
  scratch,
  start,
  writeScratch,
} from './start.ts';

interface Fault {
  name: string;
  places: readonly Place[];
  options?: StartOptions | (() => Promise<StartOptions>);
  /** What apps/faults.ts is told once it is ready. Default: it does not get that far. */
  letter?: string;
  /** Done to the machine after that. */
  inject?: (qmp: Qmp) => Promise<unknown>;
}

/** A run of one fault at one place. */
function keyOf(fault: string, place: string): string {
  return `${fault}: ${place}`;
}

const PC: Place[] = ['microvm', 'q35'];
/**
 * Emulated firmware takes 4 s to start, so that `uefi` is left out where it shares all code with
 * `pc`.
 */
const MACHINES: Place[] = [...PC, 'uefi'];
const WITHOUT_UEFI: Place[] = ['process', ...PC];
const ALL: Place[] = ['process', ...MACHINES];
const ALL_AND_LINUX: Place[] = [...ALL, 'diet'];
/**
 * Where Limine, which starts the same program, makes a difference: page tables, stacks, cores, the
 * pack.
 */
const ALL_AND_LIMINE: Place[] = [...ALL, 'limine'];

/** What programs do wrong. */
const PROGRAM: Fault[] = [
  { name: 'address 0 is read', letter: '0', places: [...ALL_AND_LINUX, 'limine'] },
  { name: 'a constant is written', letter: '3', places: [...WITHOUT_UEFI, 'diet'] },
  { name: 'code is written', letter: 'k', places: ALL_AND_LIMINE },
  { name: 'the pack is written', letter: '6', places: [...ALL_AND_LINUX, 'limine'] },
  { name: 'data is executed', letter: 'd', places: ALL_AND_LIMINE },
  { name: 'an address that cannot be is read', letter: 'g', places: WITHOUT_UEFI },
  { name: 'the stack runs out', letter: '4', places: ALL_AND_LINUX },
  { name: 'division by zero', letter: '1', places: [...WITHOUT_UEFI, 'diet'] },
  { name: 'code that cannot be reached', letter: '2', places: [...WITHOUT_UEFI, 'diet'] },
  { name: 'breakpoint', letter: 'b', places: WITHOUT_UEFI },
  { name: 'an instruction for kernels only', letter: 'h', places: ['process'] },
  {
    name: 'another core writes to address 0',
    letter: '7',
    places: WITHOUT_UEFI,
    options: { cores: 3 },
  },
  {
    name: 'the stack of another core runs out',
    letter: '8',
    places: ALL_AND_LIMINE,
    options: { cores: 3 },
  },
  { name: 'all cores fail at once', letter: '9', places: ALL, options: { cores: 3 } },
  { name: 'reporting a fault fails itself', letter: 'm', places: ALL },
];

/** The same and more, as a checked build says it. */
const CHECKED: Fault[] = (
  [
    ['checked: index out of range', '5', ALL_AND_LINUX],
    ['checked: null pointer', 'n', ['process', 'microvm']],
    ['checked: an integer that does not fit', 'c', ['process', 'microvm']],
    ['checked: not a number, as an integer', 'f', ['process', 'microvm']],
    ['checked: division by zero', '1', ['process', 'microvm']],
    ['checked: code that cannot be reached', '2', ['process', 'microvm']],
    ['checked: an assertion', 'a', ['process', 'microvm']],
  ] as const
).map(([name, letter, places]) => ({ name, letter, places, options: { checked: true } }));

/** What only broken machines do. */
const MACHINE: Fault[] = [
  { name: 'no vector unit', letter: 'i', places: PC },
  { name: 'an instruction that is not there', letter: 'o', places: PC },
  { name: 'a task that is not there', letter: 's', places: PC },
  { name: 'a page fault that cannot be delivered', letter: 't', places: MACHINES },
  {
    ...{ name: 'non-maskable interrupt', letter: 'w', places: ['q35', 'uefi'] },
    inject: (qmp) => qmp.execute('inject-nmi'),
  },
  {
    ...{ name: 'machine check', letter: 'w', places: MACHINES },
    inject: (qmp) => monitor(qmp, 'mce 0 1 0xbe00000000000000 0x7 0x1000 0'),
  },
  { name: 'no serial port', places: PC, options: { serial: false } },
  ...['SSSE3', 'AVX2', 'FMA', 'F16C', 'XSAVE', 'NX'].map((feature) => ({
    name: `a CPU without ${feature}`,
    places: feature === 'AVX2' ? [...MACHINES, 'limine' as const] : PC,
    options: { qemu: ['-cpu', `max,-${feature.toLowerCase()}`] },
  })),
  { name: 'a CPU of 2003', places: PC, options: { qemu: ['-cpu', 'qemu64'] } },
];

const MEMORY_AND_PACK: Fault[] = [
  // The large app declares 200 MiB of storage.
  {
    ...{ name: 'less memory than the image takes', places: PC },
    options: { app: 'large', memoryMib: 64 },
  },
  {
    ...{ name: 'less memory than image and pack take', places: PC },
    options: async () => ({ app: 'large', memoryMib: 210, pack: zeros('20', 20) }),
  },
  {
    ...{ name: 'less memory than the pack takes', places: MACHINES },
    options: async () => ({ pack: zeros('200', 200) }),
  },
  { name: 'no pack', places: ALL_AND_LIMINE, options: { pack: null } },
  {
    ...{ name: 'a pack that is not there', places: ['process'] },
    options: { pack: '/nowhere/model.pack' },
  },
  {
    ...{ name: 'an empty pack', places: ALL },
    options: async () => ({ pack: writeScratch('empty.pack', '') }),
  },
  { name: 'a folder as pack', places: ['process'], options: { pack: '/tmp' } },
];

/** The chat application with a pack that is not its own. */
const OTHERS_PACKS: Fault[] = (
  [
    ['a pack of 40 bytes', ['process', 'microvm'], (pack) => pack.subarray(0, 40)],
    ['a pack that is none', WITHOUT_UEFI, (pack) => pack.fill(0, 0, 8)],
    ['a pack of another version', ['process', 'microvm'], (pack) => pack.fill(99, 7, 8)],
    ['the pack of another model', ALL_AND_LIMINE, (pack) => pack.fill(0, 8, 16)],
    ['half a pack', WITHOUT_UEFI, (pack) => pack.subarray(0, pack.length / 2)],
  ] as [string, Place[], (pack: Buffer) => Buffer][]
).map(([name, places, damage]) => ({ name, places, options: () => withPack(name, damage) }));

const withApp = (fault: Fault) => ({ ...fault, options: { app: 'faults', ...fault.options } });

const GROUPS: readonly (readonly Fault[])[] = [
  ...[PROGRAM, CHECKED, MACHINE].map((group) => group.map(withApp)),
  MEMORY_AND_PACK,
  OTHERS_PACKS,
];
const FAULTS: readonly Fault[] = GROUPS.flat();

/**
 * In a sample each fault occurs as a process and on one machine, each group on each of its places.
 */
const ROWS = GROUPS.flatMap((group, i) =>
  group.flatMap(({ name, places }) =>
    places.map((place) => ({ key: keyOf(name, place), name, place, i })),
  ),
);
const leftOut = sampler(
  ROWS.filter(({ place }) => PLACES.includes(place)),
  ({ name, place, i }) => [[name, place === 'process'], place, [i, place]],
);
const reasons = new Map(ROWS.map((row) => [row.key, leftOut(row)]));

function zeros(name: string, mebibytes: number): string {
  const path = writeScratch(name, '');
  truncateSync(path, mebibytes << 20);
  return path;
}

async function withPack(name: string, damage: (pack: Buffer) => Buffer): Promise<StartOptions> {
  const model = await openModel(writeScratch('tiny.gguf', makeTinyGguf()));
  try {
    const whole = await createPack(model);
    const path = join(scratch, 'model.pack');
    await writePack(path, whole);
    const pack = writeScratch(name, damage(readFileSync(path)));
    return { app: 'chat', model: whole.constants, pack };
  } finally {
    await model.close();
  }
}

const monitor = (qmp: Qmp, line: string) =>
  qmp.execute('human-monitor-command', { 'command-line': line });

interface Ending {
  line: string;
  exit: number;
}

let sockets = 0;

/** Breaks it, and waits for its end: 90 s at most, then it was killed and has no exit code. */
async function provoke({ options = {}, letter, inject }: Fault, place: Place): Promise<Ending> {
  const settings = typeof options === 'function' ? await options() : options;
  const socket = join(scratch, `qmp-fault-${sockets++}`);
  const qemu = inject ? ['-qmp', `unix:${socket},server=on,wait=off`] : settings.qemu;
  const guest = await start(place, { ...settings, qemu });
  if (letter) await guest.waitFor('ready\n');
  if (letter) guest.send(letter);
  if (inject) {
    const qmp = await connectQmp(socket);
    await inject(qmp).catch(() => {}); // it may end before QEMU answers
  }
  const { code, output } = await guest.end();
  const lines = output
    .replace(/^ready\n/, '')
    .split('\n')
    .filter(Boolean);
  expect(lines.length, output).toBeLessThanOrEqual(1);
  const line = lines[0] ?? guest.errors().split('\n', 1)[0];
  expect(code, `${place}: ${output}\n${guest.errors()}`).not.toBe(null);
  return { line: shown(line), exit: code! };
}

/** Addresses, sizes, line numbers and our scratch folder are another build's next time. */
function shown(line: string): string {
  return line
    .replaceAll(`${scratch}/`, '')
    .replace(/\b0x[0-9a-f]{5,}|\d+(?= MiB)|\b\d{5,}|(?<=\.ts:)\d+/g, '…');
}

const PAGE = join(PROJECT_ROOT, 'docs/faults.md');
const TABLE = /(\| fault \|.*\n\|[-|]+\n)((?:\|.*\n)*)/;
const update = process.env.UPDATE === '1';

/** The page's rows, one for each machine. */
function readTable(): Map<string, Ending> {
  const rows = TABLE.exec(readFileSync(PAGE, 'utf8'))?.[2] ?? '';
  return new Map(
    [...rows.matchAll(/^\| (.*) \| (.*) \| `?(.*?)`? \| (\d+) \|$/gm)].flatMap(
      ([, fault, places, line, exit]) =>
        places
          .split(', ')
          .map((place): [string, Ending] => [keyOf(fault, place), { line, exit: Number(exit) }]),
    ),
  );
}

const ended = new Map<string, Ending>();

/** Machines that say the same share a row. */
function formatRows({ name, places }: Fault): string {
  const rows = new Map<string, Place[]>();
  for (const place of places) {
    const { line, exit } = ended.get(keyOf(name, place))!;
    const text = `${line === '' ? '' : `\`${line}\``} | ${exit} |`;
    rows.set(text, [...(rows.get(text) ?? []), place]);
  }
  return [...rows].map(([text, places]) => `| ${name} | ${places.join(', ')} | ${text}\n`).join('');
}

const documented = readTable();

describe.each(FAULTS)('$name', (fault) => {
  const places = fault.places.filter((place) => PLACES.includes(place));
  if (places.includes('diet')) beforeAll(() => prepare('diet'), PREPARE_LIMIT);
  for (const place of places) {
    const key = keyOf(fault.name, place);
    const reason = update ? '' : reasons.get(key);
    test.skipIf(reason)(`${place}${reason}`, async () => {
      ended.set(key, await provoke(fault, place));
      if (!update) expect(ended.get(key)).toEqual(documented.get(key));
    });
  }
});

test('docs/faults.md has no further rows', () => {
  const known = FAULTS.flatMap(({ name, places }) => places.map((place) => keyOf(name, place)));
  if (!update) expect([...documented.keys()].sort()).toEqual(known.sort());
});

if (LEFT_OUT) test.skip(`faults: ${LEFT_OUT}`);

afterAll(() => {
  if (!update) return;
  const text = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    text.replace(TABLE, (_, head) => head + FAULTS.map(formatRows).join('')),
  );
});
