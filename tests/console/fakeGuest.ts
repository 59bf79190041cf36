/**
 * A stand-in for a guest, so that the client's tests need no compiler and no model: it speaks
 * docs/console.md over standard input and output and answers with the text it was asked, doubled.
 * Words in the text make it misbehave: see `answer`.
 */
import { escapeText } from '../../src/console/framing.ts';
import { CAN, DLE, ENQ, EOT, ETX, SOH, STX } from '../../src/console/protocol.ts';
import { encodeReport, type Report } from '../../src/console/report.ts';
import { decodeSettings, type Settings } from '../../src/console/settings.ts';

const mode = process.argv[2] ?? 'normal';
const input: number[] = [];
let wake = () => {};
let ended = false;
process.stdin.on('data', (chunk) => {
  input.push(...chunk);
  wake();
});
process.stdin.on('end', () => {
  ended = true;
  wake();
});

async function read(): Promise<number> {
  while (input.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve));
  return input.shift() ?? -1;
}

function write(bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}

async function readUntil(end: number): Promise<Uint8Array> {
  const bytes: number[] = [];
  for (;;) {
    const byte = await read();
    if (byte === end || byte < 0) return Uint8Array.from(bytes);
    bytes.push(byte === DLE ? (await read()) ^ 0x40 : byte);
  }
}

function report(settings: Settings, answered: number, stop: Report['stop']): Report {
  return {
    promptTokens: settings.topK,
    generatedTokens: answered,
    contextUsed: settings.topK + answered,
    shifts: 0,
    stop,
    promptNanos: 1_000_000n,
    generateNanos: 2_000_000n,
    entryToReadyNanos: 3n,
    entryToFirstTokenNanos: 4n,
    tokensHash: settings.seed,
    logitsHash: 0xfedc_ba98_7654_3210n,
    bootNanos: 0n,
    entryToMemoryReadyNanos: 0n,
    entryToPackMappedNanos: 0n,
    entryToCoresUpNanos: 0n,
    entryToPromptNanos: 0n,
  };
}

async function answer(text: Uint8Array, settings: Settings): Promise<void> {
  const words = Buffer.from(text).toString();
  await write(Uint8Array.of(STX));
  if (words === 'panic') {
    await write('half an ans\npanic: index 7 outside of 4 at guest/x.ts:12\n');
    process.exit(1);
  }
  if (words === 'die') process.exit(3);
  if (words === 'nonsense') {
    await write(Uint8Array.of(ETX));
    await write('not a report\n');
    return;
  }
  let pieces = 2;
  let stop: Report['stop'] = 'end';
  if (words === 'forever') {
    pieces = 0;
    while (input[0] !== CAN) {
      pieces++;
      await write('x');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    input.shift();
    stop = 'cancelled';
  } else {
    for (let i = 0; i < pieces; i++) await write(escapeText(text));
  }
  await write(Uint8Array.of(ETX));
  await write(`${encodeReport(report(settings, pieces, stop))}\n`);
}

if (mode === 'silent') await new Promise((resolve) => setTimeout(resolve, 60_000));
await write('fake guest\r\n');
if (mode === 'early-exit') {
  await write('panic: no pack at guest/machine/pack.ts:9\n');
  process.exit(1);
}
if (mode === 'deaf') process.stdin.pause();
for (;;) {
  await write(Uint8Array.of(ENQ));
  if (mode === 'deaf') await new Promise((resolve) => setTimeout(resolve, 60_000));
  const byte = await read();
  if (byte === EOT || byte < 0) process.exit(0);
  if (byte !== SOH) continue;
  const settings = decodeSettings(Buffer.from(await readUntil(STX)).toString('latin1'));
  await answer(await readUntil(ETX), settings);
}
