/**
 * What an accepted file became, against what its bytes say by a second reader: nothing may be read
 * otherwise, passed over or made up.
 */
import { type Model, type Tensor, weightTypes } from '../../../src/model/index.ts';
import type { PlainGguf, PlainTensor, PlainValue } from './plainGguf.ts';

const CONTROL = 3;

/** Keys of sizes, and what holds where a file has none. */
const SIZES: [
  field: keyof Model['config'],
  key: string,
  fallback?: keyof Model['config'] | number,
][] = [
  ['layers', 'block_count'],
  ['contextLength', 'context_length'],
  ['dim', 'embedding_length'],
  ['hiddenDim', 'feed_forward_length'],
  ['heads', 'attention.head_count'],
  ['kvHeads', 'attention.head_count_kv', 'heads'],
  ['normEpsilon', 'attention.layer_norm_rms_epsilon'],
  ['ropeDim', 'rope.dimension_count', 'headDim'],
  ['ropeBase', 'rope.freq_base', 10000],
  ['vocabSize', 'vocab_size', 'vocabSize'],
];

/** A model of GGUF files, the first of which describes it. Throws what differs. */
export async function compareGguf(model: Model, files: readonly PlainGguf[]): Promise<void> {
  const { entries } = files[0];
  same('architecture', model.architecture, entries.get('general.architecture'));
  for (const [field, key, fallback] of SIZES) {
    const found = entries.get(`${model.architecture}.${key}`);
    const otherwise = typeof fallback === 'string' ? model.config[fallback] : fallback;
    same(key, model.config[field], found === undefined ? otherwise : Number(found));
  }
  compareTokenizer(model, entries);
  const tensors = new Map(files.flatMap((file) => [...file.tensors]));
  same(
    'tensors',
    tensors.size,
    files.reduce((sum, file) => sum + file.tensors.size, 0),
  );
  await compareTensors(model, tensors);
}

function compareTokenizer({ tokenizer }: Model, entries: Map<string, PlainValue>): void {
  const list = (name: string) => (entries.get(`tokenizer.ggml.${name}`) ?? []) as PlainValue[];
  const { pieces, types, scores, merges, kind } = tokenizer;
  same('kind', kind === 'spm' ? 'llama' : 'gpt2', entries.get('tokenizer.ggml.model'));
  sameList('tokens', pieces, list('tokens'));
  if (kind === 'spm') sameList('scores', [...(scores ?? [])], list('scores'));
  else sameList('merges', merges, list('merges'));
  // without a list all are normal; what ends an answer is a control token in any case
  const said = entries.has('tokenizer.ggml.token_type') ? list('token_type') : pieces.map(() => 1);
  const asRead = said.map((type, id) => (types[id] === CONTROL ? CONTROL : type));
  sameList('token_type', [...types], asRead);
  const last = pieces.length - 1;
  for (const [name, spm] of [
    ['bos', 1],
    ['eos', 2],
    ['unknown', 0],
  ] as const) {
    const found = entries.get(`tokenizer.ggml.${name}_token_id`);
    const otherwise = kind === 'spm' && spm <= last ? spm : undefined;
    same(name, tokenizer[name], found === undefined ? otherwise : Number(found));
  }
  const flag = entries.get('tokenizer.ggml.add_bos_token');
  if (flag !== undefined) same('add_bos_token', tokenizer.addBos, flag);
}

/** All of the model's: of its ends and of its layers. */
export function tensorsOf({ tensors: { layers, ...ends } }: Model): Tensor[] {
  const all = [...Object.values(ends), ...layers.flatMap((layer) => Object.values(layer))];
  return all.filter((tensor) => tensor !== undefined) as Tensor[];
}

async function compareTensors(model: Model, plain: Map<string, PlainTensor>): Promise<void> {
  const found = tensorsOf(model);
  same('number of tensors', found.length, plain.size);
  for (const { name, type, rows, columns, read } of found) {
    const expected = plain.get(name);
    if (expected === undefined) throw new Error(`tensor ${name}: is not in the file`);
    const [width, ...others] = expected.shape;
    same(`${name} type`, weightTypes[type].number, expected.type);
    same(`${name} columns`, columns, width);
    same(
      `${name} rows`,
      rows,
      others.reduce((product, n) => product * n, 1),
    );
    if (Buffer.compare(await read(), expected.bytes) !== 0) throw new Error(`${name}: other bytes`);
  }
}

export function same(what: string, found: unknown, expected: unknown): void {
  if (Object.is(found, expected)) return;
  throw new Error(`${what}: read ${String(found)}, the file says ${String(expected)}`);
}

export function sameList(what: string, found: readonly unknown[], expected: readonly unknown[]) {
  same(`${what}, how many`, found.length, expected.length);
  const other = found.findIndex(
    (value, i) => !Object.is(Number(value) || value, Number(expected[i]) || expected[i]),
  );
  if (other >= 0) same(`${what}[${other}]`, found[other], expected[other]);
}
