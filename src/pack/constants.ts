/** The constants that the guest is compiled with (guest/model.d.ts declares them). */
import { createHash } from 'node:crypto';
import type { Constants } from '../compiler/index.ts';
import { type Model, type ModelConfig, ropeFrequencies, tileFormats } from '../model/index.ts';
import { type ForwardPlan, ropeTableOf } from '../plan/forward.ts';
import { MICRO_BATCH, PROMPT_BYTES, ROLES } from '../plan/sizes.ts';
import type { PlacedSection } from './layout.ts';
import { tileNumber } from './tiles.ts';

/** `tokenizer.merges` → `TOKENIZER_MERGES`, `chat.first` → `CHAT_FIRST` */
const constantName = (section: string) =>
  section
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll('.', '_')
    .toUpperCase();

const usize = (value: number | readonly number[]) => ({ type: 'usize' as const, value });
const i32 = (value: number | readonly number[]) => ({ type: 'i32' as const, value });
const f32 = (value: number | readonly number[]) => ({ type: 'f32' as const, value });

/**
 * A chat template's own text that there is room for beside a prompt; more, where the template has
 * more.
 */
const TEMPLATE_BYTES = 4096;

/**
 * Shape of the model and the sizes that follow from it. templateBytes: of the text that the chat
 * template puts around a question.
 */
export function shapeConstants(
  { config, tensors, options }: Model,
  plan: ForwardPlan,
  templateBytes: number,
): Constants {
  const { context, sizes } = plan;
  return {
    ...ropeConstants(config, context),
    ...partConstants(config, context),
    NORM_EPSILON: f32(config.normEpsilon),
    LAYER_NORMS: options.normPlaces === 'both' ? 4 : 2,
    HAS_PRE_NORMS: options.normPlaces !== 'after',
    HAS_POST_NORMS: options.normPlaces !== 'before',
    QUERY_NORM_DIM: tensors.layers[0].queryNorm?.columns ?? 0,
    KEY_NORM_DIM: tensors.layers[0].keyNorm?.columns ?? 0,
    TURNS_FIRST: options.queryKeyNorm === 'headAfterRope',
    IS_GELU: options.activation === 'gelu',
    DIM: config.dim,
    FFN_DIM: config.hiddenDim,
    LAYERS: config.layers,
    HEADS: config.heads,
    KV_HEADS: config.kvHeads,
    HEAD_DIM: config.headDim,
    ROPE_DIM: config.ropeDim,
    VOCABULARY: config.vocabSize,
    CONTEXT: context,
    MICRO_BATCH,
    HAS_QKV_BIAS: tensors.layers[0].queryBias !== undefined,
    QUERY_DIM: sizes.queryDim,
    KV_DIM: sizes.kvDim,
    QUERY_ROW: sizes.queryRow,
    KV_ROW: sizes.kvRow,
    FFN_ROW: sizes.ffnRow,
    HEAD_ROW: sizes.headRow,
    INNER_DIM: sizes.innerDim,
    VOCABULARY_ROWS: sizes.vocabularyRows,
    MAX_PROMPT_BYTES: context * PROMPT_BYTES,
    TOKENIZER_MAX_TEXT: context * PROMPT_BYTES + Math.max(TEMPLATE_BYTES, templateBytes),
  };
}

/** Tables of RoPE, and which of them a layer has. */
function ropeConstants(config: ModelConfig, context: number): Constants {
  const { layers, ropeDim, windowRope } = config;
  const tables = [config, ...(windowRope ? [{ ...windowRope, ropeDim }] : [])];
  const tableOf = Array.from({ length: layers }, (_, layer) => ropeTableOf(config, layer) ?? -1);
  return {
    ROPE_TABLES: tables.length,
    ROPE_FREQUENCIES: {
      type: 'f64',
      value: tables.flatMap((table) => ropeFrequencies(table, context)),
    },
    ROPE_MAGNITUDES: f32(tables.map(({ ropeScaling }) => ropeScaling?.magnitude ?? 1)),
    LAYER_ROPES: i32(tableOf),
    HAS_LAYER_ROPES: tableOf.some((table) => table !== 0),
  };
}

/** What few families have. */
function partConstants({ headDim, layers, windows, scales = {} }: ModelConfig, context: number) {
  const { temperature } = scales;
  const lengths = temperature ? Math.ceil(context / temperature.length) : 1;
  const factorOf = (i: number) => 1 + (temperature?.growth ?? 0) * Math.log(i + 1);
  return {
    HAS_WINDOWS: windows !== undefined,
    LAYER_WINDOWS: i32(Array.from({ length: layers }, (_, i) => windows?.[i] || context)),
    EMBEDDING_SCALE: f32(scales.embedding ?? 1),
    RESIDUAL_SCALE: f32(scales.residual ?? 1),
    // as f32 has it: 1 / √headDim, each rounded
    SCORE_SCALE: f32(scales.attention ?? 1 / Math.fround(Math.sqrt(headDim))),
    LOGIT_SCALE: f32(scales.logits ?? 1),
    SCORE_CAP: f32(scales.scoreCap ?? 0),
    LOGIT_CAP: f32(scales.logitCap ?? 0),
    HAS_TEMPERATURE: temperature !== undefined,
    TEMPERATURE_LENGTH: temperature?.length ?? 1,
    TEMPERATURES: f32(Array.from({ length: lengths }, (_, i) => factorOf(i))),
  };
}

/** Where everything lies in the pack. */
export function placeConstants(model: Model, sections: PlacedSection[]): Constants {
  const byName = new Map(sections.map((section) => [section.name, section]));
  const offset = (name: string) => byName.get(name)?.offset ?? 0;
  const { tensors } = model;
  const offsets = tensors.layers.flatMap((_, layer) =>
    ROLES.map((role) => offset(`layer.${layer}.${role}`) || offset(`layer.${layer}.gateUp`)),
  );
  const output = tensors.output ?? tensors.embedding;
  const types = tensors.layers.flatMap((layer) =>
    ROLES.map((role) => tileNumber(layer[role].type)),
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
    WEIGHTS_BIASES: usize(0), // where there are none
    WEIGHTS_QUERY_KEY_NORMS: usize(0),
  };
  const formats = Object.values(tileFormats).filter(({ number }) => used.has(number));
  constants.TILE_FORMATS = i32(formats.map(({ number }) => number));
  constants.USES_FLOATS = formats.some(({ bits }) => bits > 8);
  for (const width of [4, 5, 6, 8]) {
    constants[`USES_${width}_BITS`] = formats.some(({ bits }) => bits === width);
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
