import type { Command } from 'commander';
import type { Constants } from '../compiler/index.ts';
import {
  type CompiledChat,
  compileChat,
  compileTokenizer,
  type Model,
  openModel,
  type SegmentPart,
  type Tensor,
  type TensorType,
  weightTypes,
} from '../model/index.ts';
import { withCacheType } from '../pack/cacheType.ts';
import { createPack } from '../pack/index.ts';
import { memoryOf } from '../plan/memory.ts';
import type { CacheType } from '../plan/sizes.ts';
import { guestStorage } from '../toolchain/guest.ts';
import { formatConstants, jsonConstants } from './constants.ts';
import { formatPlan } from './formatPlan.ts';
import { MODEL_HELP, obtainModel } from './modelOptions.ts';
import { addOptions } from './options.ts';
import { asJson, formatBytes, formatMemory, print } from './terminal.ts';

interface InspectOptions {
  json?: boolean;
  tokenizer?: string;
  tensors?: boolean;
  constants?: boolean;
  ctxSize?: number;
  kv?: CacheType;
}

export function configure(command: Command): void {
  command
    .argument('<model>', MODEL_HELP)
    .option('--tensors', 'list every tensor')
    .option('--constants', 'what its guest is compiled with, and nothing else');
  addOptions(command, 'ctxSize', 'kv', 'tokenizer', 'json').action(inspect);
}

async function inspect(nameOrPath: string, options: InspectOptions): Promise<void> {
  const path = await obtainModel(nameOrPath);
  const model = await openModel(path, { tokenizer: options.tokenizer });
  try {
    if (options.constants) {
      writeConstants((await packOf(model, options)).constants, options.json === true);
      return;
    }
    const facts = await describeModel(model, options);
    print(options.json ? asJson(facts) : asText(facts, options.tensors === true));
  } finally {
    await model.close();
  }
}

function writeConstants(constants: Constants, isJson: boolean): void {
  process.stdout.write(isJson ? jsonConstants(constants) : formatConstants(constants));
}

type Facts = Awaited<ReturnType<typeof describeModel>>;

/** Laid out, not written. */
async function packOf(model: Model, { ctxSize, kv = 'f16' }: InspectOptions) {
  return withCacheType(await createPack(model, { context: ctxSize }), kv);
}

async function describeModel(model: Model, options: InspectOptions) {
  const { tokenizer, tensors } = model;
  const layers = tensors.layers.flatMap((layer) => Object.values(layer) as Tensor[]);
  const all = [tensors.embedding, tensors.outputNorm, ...layers];
  if (tensors.output) all.push(tensors.output);
  const pack = await packOf(model, options);
  const tables = compileTokenizer(model).sections;
  return {
    name: model.name,
    path: model.path,
    format: model.format,
    architecture: model.architecture,
    options: model.options,
    files: model.files,
    fileBytes: model.fileBytes,
    parameters: all.reduce((sum, tensor) => sum + tensor.rows * tensor.columns, 0),
    config: model.config,
    quantization: byType(all),
    tensors: all.map(({ name, type, rows, columns, bytes }) => ({
      ...{ name, type, rows, columns, bytes },
    })),
    tokenizer: {
      kind: tokenizer.kind,
      preTokenizer: tokenizer.preTokenizer,
      pieces: tokenizer.pieces.length,
      merges: tokenizer.merges.length,
      addBos: tokenizer.addBos,
      addSpacePrefix: tokenizer.addSpacePrefix,
      bos: tokenizer.bos,
      eos: tokenizer.eos,
      unknown: tokenizer.unknown,
      end: tokenizer.end.map((token) => ({ token, piece: pieceText(model, token) })),
      tableBytes: tables.reduce((sum, section) => sum + section.bytes.length, 0),
    },
    chat: describeChat(model, compileChat(model)),
    plan: pack.plan,
    pack: { bytes: pack.bytes },
    memory: memoryOf(await guestStorage('process', 'chat', pack.constants)),
  };
}

/** Values and bytes in each tensor type, most bytes first. */
function byType(tensors: Tensor[]) {
  const types = new Map<
    TensorType,
    { type: TensorType; tensors: number; values: number; bytes: number }
  >();
  for (const { type, rows, columns, bytes } of tensors) {
    const entry = types.get(type) ?? { type, tensors: 0, values: 0, bytes: 0 };
    entry.tensors++;
    entry.values += rows * columns;
    entry.bytes += bytes;
    types.set(type, entry);
  }
  return [...types.values()].sort((a, b) => b.bytes - a.bytes);
}

function describeChat(model: Model, { way, segments, reason, usesDate }: CompiledChat) {
  if (segments === undefined) return { usable: false as const, way, reason, usesDate };
  const text = (parts: SegmentPart[]) =>
    parts
      .map((part) =>
        typeof part === 'number' ? pieceText(model, part) : Buffer.from(part).toString('utf8'),
      )
      .join('');
  return {
    usable: true as const,
    ...{ way, reason, usesDate },
    first: text(segments.first),
    answer: text(segments.answer),
    next: text(segments.next),
    trim: segments.trim,
  };
}

function pieceText(model: Model, token: number): string {
  return Buffer.from(model.tokenizer.pieces[token], 'latin1').toString('utf8');
}

function describeFile({ path, files, fileBytes }: Facts): string {
  const more = files > 1 ? ` and ${files - 1} more` : '';
  return `${path}${more}, ${formatBytes(fileBytes)}`;
}

function asText(facts: Facts, withTensors: boolean): string {
  const { config, tokenizer, chat, pack, plan, memory } = facts;
  const rows: [label: string, value: string][] = [
    ['model', `${facts.name} (${facts.architecture}, ${facts.format})`],
    ['file', describeFile(facts)],
    ['parameters', `${(facts.parameters / 1e6).toFixed(1)} million`],
    ['layers', `${config.layers} of width ${config.dim}, feed-forward ${config.hiddenDim}`],
    ['heads', `${config.heads} of width ${config.headDim}, ${config.kvHeads} for keys and values`],
    ['positions', `${config.contextLength}, ${describeRope(config)}`],
    ...describeParts(config),
    ['output', config.tiedEmbeddings ? 'the embedding (tied)' : 'a matrix of its own'],
    ...facts.quantization.map((entry): [string, string] => [
      entry.type,
      `${entry.tensors} tensors, ${entry.values} values, ${formatBytes(entry.bytes)}, ${bitsEach(entry.type)}`,
    ]),
    ['vocabulary', `${tokenizer.pieces} pieces, ${describeKind(tokenizer)}`],
    ['start', tokenizer.addBos ? `token ${tokenizer.bos}` : 'no token'],
    [
      'end',
      tokenizer.end.map(({ token, piece }) => `${token} ${JSON.stringify(piece)}`).join(', '),
    ],
    ['tables', formatBytes(tokenizer.tableBytes)],
  ];
  if (chat.way === 'host') rows.push(['chat', `rendered by the host each turn: ${chat.reason}`]);
  if (chat.usesDate) rows.push(['chat date', 'it is told the date (--date)']);
  if (chat.usable) {
    rows.push(['chat first', JSON.stringify(chat.first)]);
    rows.push(['chat answer', JSON.stringify(chat.answer)]);
    rows.push(['chat next', JSON.stringify(chat.next)]);
  } else if (chat.way === undefined) {
    rows.push(['chat', chat.reason ?? 'none']);
  }
  rows.push(['pack', formatBytes(pack.bytes)]);
  rows.push([
    'memory',
    `pack + ${formatMemory(memory.keyValueBytes)} for ${plan.context} positions + ` +
      `${formatMemory(memory.workBytes)} to work in + ${formatMemory(memory.machineBytes)} of the machine's, as a Linux process`,
  ]);
  const lines = rows.map(([label, value]) => `${label.padEnd(12)}${value}`);
  lines.push('', ...formatPlan(plan));
  if (withTensors) {
    const width = Math.max(...facts.tensors.map(({ name }) => name.length));
    for (const { name, type, rows, columns, bytes } of facts.tensors) {
      lines.push(`${name.padEnd(width)}  ${type.padEnd(5)} ${rows} × ${columns}  ${bytes}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function describeRope({ ropeBase, ropeDim, ropeScaling }: Facts['config']): string {
  const parts = [`RoPE base ${ropeBase} on ${ropeDim} values`];
  if (ropeScaling !== undefined) {
    const { factor, magnitude, originalContext, yarn, divisors } = ropeScaling;
    if (factor !== 1) parts.push(`${yarn ? 'YaRN' : 'all'} divided by ${factor}`);
    if (yarn) parts.push(`from ${originalContext} positions`);
    if (divisors) parts.push('each with a divisor of its own');
    if (divisors && divisors.short !== divisors.long) {
      parts.push(`another beyond ${originalContext} positions`);
    }
    if (magnitude !== 1) parts.push(`times ${Number(magnitude.toPrecision(6))}`);
  }
  return parts.join(', ');
}

/** What few families have: windows, layers without RoPE, factors and caps. */
function describeParts({ windows, windowRope, ropeless, scales }: Facts['config']) {
  const rows: [label: string, value: string][] = [];
  const listed = (layers: readonly (number | boolean)[]) =>
    layers.flatMap((value, layer) => (value ? [layer] : [])).join(', ');
  if (windows) {
    const rope = windowRope ? `, RoPE base ${windowRope.ropeBase}` : '';
    rows.push(['windows', `${Math.max(...windows)} positions in layers ${listed(windows)}${rope}`]);
  }
  if (ropeless) rows.push(['no RoPE', `in layers ${listed(ropeless)}`]);
  if (scales) {
    const named = Object.entries(scales).map(([name, value]) => {
      if (typeof value !== 'object') return `${name} ${Number(value.toPrecision(6))}`;
      return `${name} ${Number(value.growth.toPrecision(6))} for each ${value.length} positions`;
    });
    rows.push(['scales', named.join(', ')]);
  }
  return rows;
}

function describeKind({ kind, preTokenizer, merges }: Facts['tokenizer']): string {
  return kind === 'spm' ? 'SentencePiece BPE' : `byte-level BPE, ${merges} merges, ${preTokenizer}`;
}

function bitsEach(type: TensorType): string {
  const { block, bytes, group } = weightTypes[type];
  const bits = ((8 * bytes) / block).toFixed(4).replace(/\.?0+$/, '');
  return `${bits} bits each${group > 1 ? `, one scale for ${group}` : ''}`;
}
