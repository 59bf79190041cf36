import { modelDamagedIn } from '../pull/models.ts';
import { openGguf } from './gguf/reader.ts';
import { openLlama2c } from './llama2c/checkpoint.ts';
import type { Model } from './model.ts';
import { ModelError } from './modelError.ts';
import { openModelFile } from './modelFile.ts';

export {
  architectures,
  endShapes,
  type Family,
  layerShapeOf,
  layerShapes,
  type Shape,
  shapeOf,
} from './architectures.ts';
export type { ChatChoices, Message } from './chat/render.ts';
export { encodeSegment, type SegmentPart } from './chat/segment.ts';
export { type HostChat, type Said, writeConversation } from './chat/write.ts';
export {
  type ChatFacts,
  type ChatOptions,
  type ChatWay,
  type CompiledChat,
  chatFactsOf,
  compileChat,
} from './chat.ts';
export {
  dequantize,
  halfAt,
  paddedRows,
  rowBytes,
  type TensorType,
  TILE_ROWS,
  type TileFormatName,
  tensorTypes,
  tiledBytes,
  tileFormats,
  weightTypes,
} from './formats.ts';
export type {
  ByteString,
  FamilyOptions,
  LayerTensors,
  Model,
  ModelConfig,
  ModelTensors,
  Tensor,
  Tokenizer,
} from './model.ts';
export { PieceType } from './model.ts';
export { ModelError, type ModelProblem } from './modelError.ts';
export { type RopeScaling, ropeFrequencies } from './ropeScaling.ts';
export { type CompiledTables, compileTokenizer, type TableSection } from './tokenizer/compile.ts';
export { splitSpecial } from './tokenizer/special.ts';

export interface OpenOptions {
  /** llama2.c: path of the tokenizer.bin that belongs to the checkpoint. */
  tokenizer?: string;
}

/**
 * Opens a model file and checks everything about it but the weights, which are checked when they
 * are read. Throws ModelError where it cannot be used. The caller closes it.
 *
 *     const model = await openModel('SmolLM2-135M-Instruct.Q4_1.gguf')
 *     model.config.layers // 30
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Model> {
  const file = await openModelFile(path);
  try {
    if (file.bytes < 4) {
      throw new ModelError({
        file: file.name,
        field: 'file size',
        found: `${file.bytes} bytes`,
        expected: 'a GGUF file or a llama2.c checkpoint',
      });
    }
    const magic = new Uint8Array(4);
    file.readNow(0, magic);
    if (Buffer.from(magic).toString('latin1') !== 'GGUF') {
      return await openLlama2c(file, options.tokenizer);
    }
    if (options.tokenizer !== undefined) {
      throw new ModelError({
        file: file.name,
        field: 'tokenizer',
        found: `the option ${options.tokenizer}`,
        expected: 'none: a GGUF file brings its own tokenizer',
        remedy: 'leave the option out',
      });
    }
    const model = await openGguf(file);
    const damaged = await modelDamagedIn(path, model.name, file.bytes);
    if (damaged !== undefined) {
      throw new ModelError({
        file: file.name,
        field: 'contents',
        found: `the name and size of ${damaged.file}, but not its SHA-256`,
        expected: damaged.sha256,
        remedy: 'the file is damaged: fetch it again with mu pull',
      });
    }
    return model;
  } catch (error) {
    await file.close();
    throw error;
  }
}
