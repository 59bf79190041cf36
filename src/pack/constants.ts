/** The constants that the guest is compiled with (guest/model.d.ts declares them). */
import { createHash } from 'node:crypto';
import type { Constants } from '../compiler/index.ts';
import { type Model, tileFormats } from '../model/index.ts';
import type { PlacedSection } from './layout.ts';
import { paddedRows, tileNumber } from './tiles.ts';

/** Tokens that go through a layer together: a matrix is read once for them all. */
const BATCH = 32;

/** A layer's matrices, in the order of Role (guest/engine/weights.ts). */
export const roles = ['query', 'key', 'value', 'attentionOutput', 'gate', 'up', 'down'] as const;

/** `tokenizer.merges` → `TOKENIZER_MERGES`, `chat.first` → `CHAT_FIRST` */
const constantName = (section: string) =>
  section
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('.', '_')
    .toUpperCase();

const usize = (value: number | readonly number[]) => ({ type: 'usize' as const, value });
const i32 = (value: number | readonly number[]) => ({ type: 'i32' as const, value });

/** Shape of the model and the sizes that follow from it. context: positions, a multiple of 16. */
export function shapeConstants(model: Model, context: number): Constants {
  const { config } = model;
  const pairs = Array.from(
    { length: config.ropeDim / 2 },
    (_, i) => config.ropeBase ** ((-2 * i) / config.ropeDim),
  );
  return {
    DIM: config.dim,
    HIDDEN: config.hiddenDim,
    LAYERS: config.layers,
    HEADS: config.heads,
    KV_HEADS: config.kvHeads,
    HEAD_DIM: config.headDim,
    ROPE_DIM: config.ropeDim,
    VOCABULARY: config.vocabSize,
    CONTEXT: context,
    BATCH,
    NORM_EPSILON: { type: 'f32', value: config.normEpsilon },
    ROPE_FREQUENCIES: { type: 'f64', value: pairs },
    QUERY_DIM: config.heads * config.headDim,
    KV_DIM: config.kvHeads * config.headDim,
    HEAD_ROW: Math.ceil(config.headDim / 16) * 16,
    WIDEST:
      Math.ceil(Math.max(config.dim, config.hiddenDim, config.heads * config.headDim) / 32) * 32,
    VOCABULARY_ROWS: paddedRows(config.vocabSize),
    MAX_PROMPT_BYTES: context * 8,
    TOKENIZER_MAX_TEXT: context * 8 + 4096,
  };
}

/** Where everything lies in the pack. */
export function placeConstants(model: Model, sections: PlacedSection[]): Constants {
  const byName = new Map(sections.map((section) => [section.name, section]));
  const offset = (name: string) => byName.get(name)?.offset ?? 0;
  const { tensors } = model;
  const offsets = tensors.layers.flatMap((_, layer) =>
    roles.map((role) => offset(`layer.${layer}.${role}`) || offset(`layer.${layer}.gateUp`)),
  );
  const output = tensors.output ?? tensors.embedding;
  const types = tensors.layers.flatMap((layer) =>
    roles.map((role) => tileNumber(layer[role].type)),
  );
  const ends = [tileNumber(tensors.embedding.type), tileNumber(output.type)];
  const used = new Set([...types, ...ends]);

  const constants: Constants = {
    MATRIX_OFFSETS: usize(offsets),
    MATRIX_TYPES: i32(types),
    EMBEDDING_OFFSET: usize(offset('embedding')),
    EMBEDDING_TYPE: ends[0],
    OUTPUT_OFFSET: usize(offset(tensors.output ? 'output' : 'embedding')),
    OUTPUT_TYPE: ends[1],
  };
  for (const [name, { number }] of Object.entries(tileFormats)) {
    constants[`USES_${name}`] = used.has(number);
  }
  for (const section of sections) {
    if (!section.matrix) constants[constantName(section.name)] = usize(section.offset);
  }
  return constants;
}

/** Names a set of constants: the pack and the program compiled for it carry the same. */
export function constantsId(constants: Constants): bigint {
  const text = JSON.stringify(constants, (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  return createHash('sha256').update(text).digest().readBigUInt64LE(0);
}
