/**
 * The model pack: one flat, aligned file that the guest reads in place. docs/pack-format.md is its
 * specification.
 */
import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { Constants } from '../compiler/index.ts';
import {
  type ChatFacts,
  type ChatOptions,
  chatFactsOf,
  compileChat,
  compileTokenizer,
  type LayerTensors,
  type Model,
  ModelError,
  type Tensor,
  tiledBytes,
  weightTypes,
} from '../model/index.ts';
import { type ForwardPlan, planForward } from '../plan/forward.ts';
import { constantsId, placeConstants, shapeConstants } from './constants.ts';
import { header, type Layout, packBytes, place, type Section } from './layout.ts';
import { tileNumber, tiles, tilesInTurn } from './tiles.ts';

export interface PackOptions extends ChatOptions {
  /**
   * Positions of a conversation. 0: all that the model was trained for. Default: the same, at most
   * 2,048.
   */
  context?: number;
}

export interface Pack {
  layout: Layout;
  /** What the guest is compiled with. */
  constants: Constants;
  plan: ForwardPlan;
  bytes: number;
  /** How the model's chat template is followed; absent if there is none that could be. */
  chat?: ChatFacts;
  /** Why the chat template cannot be used; absent if it can, or if there is none. */
  templateProblem?: string;
  /** The file's content; depends only on the model and the options. */
  content(): AsyncIterable<Uint8Array>;
}

const DEFAULT_CONTEXT = 2048;

/**
 * A pack is written in pieces of this size: Linux then keeps it in pages of 2 MiB, which a process
 * that maps it can use as they are. Pages of 4 KiB cost a quarter of the memory's bandwidth
 * (docs/performance.md).
 */
const CHUNK_BYTES = 8 << 20;

/** Lays out the pack of a model. Nothing is read from its weights before `content` is consumed. */
export async function createPack(model: Model, options: PackOptions = {}): Promise<Pack> {
  const context = chooseContext(model, options.context);
  const { tensors } = model;
  requireWholeVectors(model);
  const tokenizer = compileTokenizer(model);
  const chat = compileChat(model, options);
  const tables: Section[] = [...tokenizer.sections, ...chat.sections].map(({ name, bytes }) => ({
    name,
    bytes: bytes.length,
    content: () => [bytes],
  }));
  const layers = tensors.layers.flatMap((layer, i) => [
    matrix(`layer.${i}.query`, layer.query),
    matrix(`layer.${i}.key`, layer.key),
    matrix(`layer.${i}.value`, layer.value),
    matrix(`layer.${i}.attentionOutput`, layer.attentionOutput),
    ...gateAndUp(`layer.${i}`, layer.gate, layer.up),
    matrix(`layer.${i}.down`, layer.down),
  ]);
  const ends = [matrix('embedding', tensors.embedding)];
  if (tensors.output) ends.push(matrix('output', tensors.output));
  const plan = planForward(model, context);
  const vectors = [norms(model), ...queryKeyNorms(model), ...biases(model, plan)];
  const layout = place([...tables, ...vectors, ...ends, ...layers]);

  const described: Constants = {
    ...tokenizer.constants,
    ...chat.constants,
    ...shapeConstants(model, plan, chat.textBytes),
    ...placeConstants(model, layout.sections),
  };
  const id = constantsId(described);
  const constants: Constants = {
    ...described,
    PACK_ID: { type: 'u64', value: id },
    PACK_BYTES: { type: 'usize', value: layout.bytes },
    // Of the program alone: packs are the same whatever it is
    CONTEXT_SHIFT: false,
    KV_BITS: 16,
  };
  return {
    layout,
    constants,
    plan,
    bytes: layout.bytes,
    chat: chatFactsOf(chat),
    templateProblem: model.chatTemplate && chat.way === undefined ? chat.reason : undefined,
    content: () => packBytes(layout, header(layout, id, context)),
  };
}

/**
 * Writes a pack beside its final name and moves it there when it is whole. Gives its SHA-256, in
 * hexadecimal.
 */
export async function writePack(
  path: string,
  pack: Pack,
  onProgress?: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  const part = `${path}.${process.pid}.part`;
  const file = await open(part, 'w');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let used = 0;
    let written = 0;
    for await (const piece of pack.content()) {
      hash.update(piece);
      for (let from = 0; from < piece.length; ) {
        const count = Math.min(piece.length - from, CHUNK_BYTES - used);
        chunk.set(piece.subarray(from, from + count), used);
        from += count;
        used += count;
        if (used === CHUNK_BYTES) {
          await writeAll(file, chunk);
          used = 0;
        }
      }
      written += piece.length;
      onProgress?.(written);
    }
    await writeAll(file, chunk.subarray(0, used));
    await file.close();
    await rename(part, path);
    return hash.digest('hex');
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}

/**
 * One call of write(2) as far as it goes; `writeFile` would cut it into pieces of half a mebibyte.
 */
async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done)).bytesWritten;
  }
}

function chooseContext(model: Model, asked: number | undefined): number {
  const trained = model.config.contextLength;
  const wanted = asked === 0 ? trained : asked;
  const least = Math.min(16, trained);
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < least || wanted > trained)) {
    throw new ModelError({
      file: model.path,
      field: 'context size (-c)',
      found: String(wanted),
      expected: `${least} … ${trained}, what the model was trained for, or 0 for all of it`,
    });
  }
  return wanted ?? Math.min(trained, DEFAULT_CONTEXT);
}

/** What is normed is worked on in vectors of 16. */
function requireWholeVectors({ config, options, path }: Model): void {
  const normed = [{ field: 'embedding_length', width: config.dim }];
  if (options.queryKeyNorm !== 'none') {
    const rows = options.queryKeyNorm === 'row' ? config.kvHeads : 1;
    normed.push({ field: 'attention.key_length', width: rows * config.headDim });
  }
  for (const { field, width } of normed) {
    if (width % 16 === 0) continue;
    const expected = 'a multiple of 16, the lanes of the kernels';
    throw new ModelError({ file: path, field, found: String(width), expected });
  }
}

function matrix(name: string, tensor: Tensor): Section {
  return {
    name,
    bytes: tiledBytes(weightTypes[tensor.type].tile, tensor.rows, tensor.columns),
    content: () => tiles(tensor),
    matrix: { type: tileNumber(tensor.type), rows: tensor.rows, columns: tensor.columns },
  };
}

/** Of one tile format, they are read as one stream (guest/engine/transformer.ts). */
function gateAndUp(layer: string, gate: Tensor, up: Tensor): Section[] {
  const [one, other] = [matrix(`${layer}.gate`, gate), matrix(`${layer}.up`, up)];
  if (one.matrix?.type !== other.matrix?.type) return [one, other];
  return [
    {
      name: `${layer}.gateUp`,
      bytes: one.bytes + other.bytes,
      content: () => tilesInTurn(gate, up),
      matrix: { type: tileNumber(gate.type), rows: gate.rows * 2, columns: gate.columns },
    },
  ];
}

/** f32[layers × normsOf + 1][dim]: a layer's norms as they come, then the output's. */
function norms(model: Model): Section {
  const { layers, outputNorm } = model.tensors;
  return vectors('weights.norms', [...layers.flatMap(normsOf), outputNorm]);
}

/** Of a layer, those of the residual stream. */
export function normsOf(layer: LayerTensors): Tensor[] {
  const { attentionNorm, attentionPostNorm, ffnNorm, ffnPostNorm } = layer;
  const all = [attentionNorm, attentionPostNorm, ffnNorm, ffnPostNorm];
  return all.filter((norm) => norm !== undefined);
}

/** f32[layers][queries, keys]: of a head, or of all heads; where the family has them. */
function queryKeyNorms({ tensors, options }: Model): Section[] {
  if (options.queryKeyNorm === 'none') return [];
  const all = tensors.layers.flatMap(({ queryNorm, keyNorm }) => [queryNorm, keyNorm]);
  return [
    vectors(
      'weights.queryKeyNorms',
      all.filter((norm) => norm !== undefined),
    ),
  ];
}

/** One after the other. */
function vectors(name: string, all: readonly Tensor[]): Section {
  return {
    name,
    bytes: all.reduce((sum, tensor) => sum + tensor.bytes, 0),
    async *content() {
      for (const tensor of all) yield await tensor.read();
    },
  };
}

/** f32[layers][queries, keys, values], each in whole tiles; where the family has such biases. */
function biases({ tensors }: Model, { sizes }: ForwardPlan): Section[] {
  if (!tensors.layers[0].queryBias) return [];
  const rows = [sizes.queryRow, sizes.kvRow, sizes.kvRow];
  return [
    {
      name: 'weights.biases',
      bytes: tensors.layers.length * (rows[0] + rows[1] + rows[2]) * 4,
      async *content() {
        for (const { queryBias, keyBias, valueBias } of tensors.layers) {
          for (const [i, bias] of [queryBias, keyBias, valueBias].entries()) {
            const padded = new Uint8Array(rows[i] * 4);
            padded.set((await bias?.read()) ?? []);
            yield padded;
          }
        }
      },
    },
  ];
}
