/**
 * A model in several GGUF files, as llama-gguf-split and the converters write them. The first part
 * describes the model; each has tensors (the first may have none) and three keys of its own:
 *
 *     split.no             which part it is, from 0
 *     split.count          how many there are; 0 or 1: it is whole
 *     split.tensors.count  tensors in all parts
 *
 * Nothing else in a part says which model it belongs to, so all that can be compared is.
 */
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { MOST_PARTS, type PartName, parsePartName, partsOf } from '../../pull/partNames.ts';
import { quote } from '../modelError.ts';
import { type ModelFile, openModelFile } from '../modelFile.ts';
import { type GgufHeader, MAX_TENSORS, readGgufHeader, type TensorInfo } from './header.ts';
import type { Metadata } from './metadata.ts';

export interface Parts {
  /** The first among them. */
  files: ModelFile[];
  /** Those of all parts; each knows its file. */
  tensors: Map<string, TensorInfo>;
  /** Of all parts, as in a header. */
  refusedTypes: string[];
}

/**
 * All parts of the model that `first` begins, checked to belong together: for most models that file
 * alone. Who closes the first closes the others too.
 */
export async function openParts(first: ModelFile, header: GgufHeader): Promise<Parts> {
  const { metadata } = header;
  const files = [first];
  const tensors = new Map(header.tensors);
  const refusedTypes = [...header.refusedTypes];
  const parts: Parts = { files, tensors, refusedTypes };
  if (splitCount(metadata) <= 1) return parts;
  const name = checkName(first, metadata);
  if (name.part !== 1) {
    throw metadata.error(
      'split.no',
      `${name.part - 1}: part ${name.part} of ${name.count}`,
      'the first part, which describes the model',
      `give ${basename(partsOf(first.path)[0])}`,
    );
  }
  const total = metadata.integer('split.tensors.count', { min: 0, max: MAX_TENSORS });
  checkPresence(first, metadata);
  try {
    for (const path of partsOf(first.path).slice(1)) {
      const file = await openModelFile(path);
      files.push(file);
      addPart(parts, file, header, total);
    }
    const count = tensors.size + refusedTypes.length;
    if (count !== total) {
      throw metadata.error(
        'split.tensors.count',
        String(total),
        `${count}, the tensors in all ${name.count} parts`,
        FETCH_AGAIN,
      );
    }
  } catch (error) {
    for (const file of files.slice(1)) await file.close();
    throw error;
  }
  return parts;
}

const FETCH_AGAIN = 'these files are not parts of one model: fetch all of them again';

function splitCount(metadata: Metadata): number {
  return metadata.integer('split.count', { min: 0, max: MOST_PARTS, fallback: 1 });
}

/** A part's name has to say what the part itself says: the others are found by it. */
function checkName(file: ModelFile, metadata: Metadata): PartName {
  const count = splitCount(metadata);
  const name = parsePartName(file.path);
  if (name === undefined) {
    const digits = String(count).padStart(5, '0');
    throw metadata.error(
      'file name',
      quote(file.name),
      `NAME-00001-of-${digits}.gguf or the like, since this is one of ${count} parts`,
      'give all parts the names that they had: the others are found by them',
    );
  }
  const number = metadata.integer('split.no', { min: 0, max: count - 1 });
  if (name.count !== count) {
    throw metadata.error('split.count', String(count), `${name.count}, as it is named`, RENAMED);
  }
  if (name.part !== number + 1) {
    throw metadata.error('split.no', String(number), `${name.part - 1}, as it is named`, RENAMED);
  }
  return name;
}

const RENAMED = 'the file has the name of another part, or of another set: give it its own back';

function checkPresence(first: ModelFile, metadata: Metadata): void {
  const paths = partsOf(first.path);
  const missing = paths.filter((path) => !existsSync(path)).map((path) => basename(path));
  if (missing.length === 0) return;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw metadata.error(
    'parts',
    `no ${missing[0]}${more}`,
    `all ${paths.length} parts in ${dirname(first.path)}`,
    'fetch what is missing',
  );
}

/** Reads another part, checks it against the first, and adds its tensors. */
function addPart(
  { tensors, refusedTypes }: Parts,
  file: ModelFile,
  first: GgufHeader,
  total: number,
): void {
  const part = readGgufHeader(file);
  const { metadata } = part;
  const keys = new Set(['split.count', 'split.tensors.count', ...metadata.keys()]);
  keys.delete('split.no');
  for (const key of keys) {
    const [found, expected] = [metadata, first.metadata].map((of) => of.describe(key));
    if (found === expected) continue;
    throw metadata.error(key, found, `${expected}, as in the first part`, FETCH_AGAIN);
  }
  checkName(file, metadata);
  for (const [name, tensor] of part.tensors) {
    const other = tensors.get(name);
    if (other !== undefined) {
      const found = `the tensor that ${other.file.name} has too`;
      throw metadata.error(`tensor ${quote(name)}`, found, 'each tensor once', FETCH_AGAIN);
    }
    tensors.set(name, tensor);
  }
  refusedTypes.push(...part.refusedTypes);
  const count = tensors.size + refusedTypes.length;
  if (count > total) {
    throw metadata.error(
      'tensor_count',
      `${count} tensors up to this part`,
      `at most ${total}, the split.tensors.count`,
      FETCH_AGAIN,
    );
  }
}
