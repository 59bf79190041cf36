/**
 * Precision of every dense family and weight type: generated models, quantized by llama-quantize;
 * mean KL divergence from llama.cpp's logits of the same weights in F32, ours beside llama.cpp's
 * own, on one text, row by row in one run.
 * Usage: npx tsx bench/families.ts [--family NAME]… [--type TYPE]… [--cpu VARIANT] [--write]
 *   [--json]
 *   --family  a name of generate.py's: llama, qwen3 …; default: all dense ones
 *   --type    Q4_K_M, Q8_0 …; default: all
 *   --cpu     compile for one CPU variant alone: four times as fast, and the same bits
 *   --write   put the rows into the table of docs/families.md, beside those that are there
 *   --json    one array of rows on stdout in place of the table
 * Exit code 1 where a row is over the limit or refused.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder, PROJECT_ROOT } from '../src/toolchain/cache.ts';
import { compareFiles } from './divergence.ts';
import {
  denseFamilies,
  generateModel,
  type Quantization,
  quantizeModel,
} from './generatedModels.ts';
import { describeMachine } from './machineState.ts';
import { dequantizeModel, figureAfter, findPeer, runProgram } from './peer.ts';

const TEXT = '/usr/share/common-licenses/GPL-3';
const CONTEXT = '512';
const CHUNKS = '12';
/** Our divergence may be so many times llama.cpp's. */
const LIMIT = 1.05;
/** Below so many times the floor of 16 bits no ratio means anything. */
const FLOORS = 3;

/** What every family is measured in: what people download, and its rows that are no 256 long. */
const COMMON: Quantization[] = [
  ...['F16', 'Q8_0', 'Q6_K', 'Q4_K_M'].map((type) => ({ type, dim: 256 }) as const),
  ...['Q6_K', 'Q5_K_M', 'Q4_K_M'].map((type) => ({ type, dim: 192 }) as const),
];
/** And these in each type by itself. */
const FAMILIES_OF_TYPES = ['llama', 'qwen3'];
const PURE: Quantization[] = ['Q6_K', 'Q5_K', 'Q5_1', 'Q5_0', 'Q4_K', 'Q4_1', 'Q4_0'].map(
  (type) => ({ type, dim: 256, isPure: true }),
);

interface Row {
  family: string;
  /** The quantization, as the table has it. */
  type: string;
  /** Why `mu` does not take the model. */
  refused?: string;
  theirs?: number;
  ours?: number;
  /** ours ÷ theirs; absent where ours is at the floor. */
  ratio?: number;
  /** Perplexities: llama.cpp in F32, llama.cpp, ours. */
  ppl?: [number, number, number];
  tokens?: number;
  passed: boolean;
}

const { values: options } = parseArgs({
  options: {
    family: { type: 'string', multiple: true, default: [...denseFamilies] },
    type: { type: 'string', multiple: true },
    cpu: { type: 'string' },
    write: { type: 'boolean' },
    json: { type: 'boolean' },
  },
});
const unknown = options.family.find((name) => !denseFamilies.some((family) => family === name));
if (unknown !== undefined) {
  throw new Error(`--family: expected ${denseFamilies.join(', ')}, got ${unknown}`);
}

const llama = findPeer();
mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
const scratch = mkdtempSync(join(cacheFolder(), 'bench/families-'));
try {
  const rows: Row[] = [];
  for (const family of options.family) {
    const own = FAMILIES_OF_TYPES.includes(family) ? PURE : [];
    for (const quantization of [...COMMON, ...own]) {
      if (!(options.type?.includes(quantization.type) ?? true)) continue;
      process.stderr.write(`${family} ${nameOf(quantization)} … `);
      const row = await measure(family, quantization);
      process.stderr.write(`${formatRow(row).slice(2).join(' ')}${row.passed ? '' : '  FAIL'}\n`);
      rows.push(row);
    }
  }
  if (rows.length === 0) throw new Error(`--type: no family has ${options.type?.join(', ')}`);
  if (options.json) console.log(JSON.stringify(rows, undefined, 1));
  else console.log(`${describeMachine()}\n${formatTable(rows.map(formatRow))}`);
  if (options.write) writePage(rows);
  process.exitCode = rows.every(({ passed }) => passed) ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function nameOf({ type, dim, isPure }: Quantization): string {
  return isPure ? `${type} alone` : dim === 256 ? type : `${type}, rows of ${dim}`;
}

async function measure(family: string, quantization: Quantization): Promise<Row> {
  const place = { family, type: nameOf(quantization) };
  const plain = generateModel(family, quantization.dim, scratch);
  const path = (name: string) => join(scratch, name);
  quantizeModel(plain, quantization, path('model.gguf'));
  const ours = measureOurs(path('model.gguf'), path('ours.kld'));
  if (typeof ours === 'string') return { ...place, refused: ours, passed: false };
  dequantizeModel(path('model.gguf'), path('f32.gguf'));
  const base = measureTheirs(path('f32.gguf'), path('base.kld'));
  const theirs = measureTheirs(path('model.gguf'), path('theirs.kld'));
  const [own, other] = [
    await compareFiles(path('base.kld'), path('ours.kld')),
    await compareFiles(path('base.kld'), path('theirs.kld')),
  ];
  const isAtFloor = own.kld <= FLOORS * own.floor;
  const ratio = own.kld / other.kld;
  return {
    ...place,
    ...{ theirs: other.kld, ours: own.kld, ratio: isAtFloor ? undefined : ratio },
    ...{ ppl: [base, theirs, ours], tokens: own.tokens },
    passed: isAtFloor || ratio <= LIMIT,
  };
}

/** Writes our log-probabilities to `to`; the perplexity, or why the model is refused. */
function measureOurs(model: string, to: string): number | string {
  const cpu = options.cpu === undefined ? [] : ['--cpu', options.cpu];
  const args = ['perplexity', model, ...textOptions(to), ...cpu, '--json'];
  try {
    const mu = runProgram(join(PROJECT_ROOT, 'mu'), args);
    return JSON.parse(mu.stdout).ppl;
  } catch (error) {
    const line = (error as Error).message.split('\n').find((line) => line.startsWith('mu: '));
    if (line === undefined) throw error;
    return line.replace(/^mu: (\S*model\.gguf: )?/, '');
  }
}

/** Writes llama.cpp's log-probabilities to `to`; the perplexity. */
function measureTheirs(model: string, to: string): number {
  const label = /Final estimate: PPL =/;
  let output = '';
  // Its log thread now and then loses the end of the output, though the exit code is 0.
  for (let attempt = 0; attempt < 5 && !label.test(output); attempt++) {
    const args = ['-m', model, ...textOptions(to)];
    const { stdout, stderr } = runProgram(join(llama, 'llama-perplexity'), args);
    output = stdout + stderr;
  }
  return figureAfter(output, label);
}

function textOptions(to: string): string[] {
  return ['-f', TEXT, '-c', CONTEXT, '--chunks', CHUNKS, '--kl-divergence-base', to];
}

function formatRow({ family, type, refused, theirs, ours, ratio, ppl }: Row): string[] {
  if (theirs === undefined || ours === undefined || ppl === undefined) {
    return [family, type, `refused: ${refused}`, '', '', ''];
  }
  const figures = [theirs, ours].map((kld) => kld.toExponential(2));
  const perplexities = ppl.map((one) => one.toFixed(2)).join(' · ');
  return [family, type, ...figures, ratio?.toFixed(2) ?? 'at the floor', perplexities];
}

function formatTable(rows: readonly string[][]): string {
  const head = ['family', 'type', 'llama.cpp', 'ours', 'ratio', 'perplexity'];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The rows in the order above; those that were not measured now stay as they are. */
function writePage(rows: readonly Row[]): void {
  const page = join(PROJECT_ROOT, 'docs/families.md');
  const text = readFileSync(page, 'utf8');
  const table = /(?:^\|.*\n)+/m;
  const old = (table.exec(text)?.[0] ?? '').trimEnd().split('\n').slice(2);
  const known = new Map(
    [...old.map((line) => line.slice(2, -2).split(' | ')), ...rows.map(formatRow)].map((cells) => [
      cells.slice(0, 2).join(),
      cells,
    ]),
  );
  const places = denseFamilies.flatMap((family) =>
    [...COMMON, ...PURE].map((quantization) => `${family},${nameOf(quantization)}`),
  );
  const ordered = places.flatMap((place) => {
    const cells = known.get(place);
    return cells === undefined ? [] : [cells];
  });
  writeFileSync(page, text.replace(table, `${formatTable(ordered)}\n`));
}
