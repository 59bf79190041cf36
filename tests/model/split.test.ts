/**
 * Models in several GGUF files: they compute what the whole one does, and every way in which files
 * may not belong together is one clear line.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ModelError, openModel } from '../../src/model/index.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { put, temporaryFolder } from './files.ts';
import { type GgufContent, writeGguf } from './ggufWriter.ts';
import { partName, type Split, splitContent, writeParts } from './splitGguf.ts';
import { tinyContent } from './tinyGguf.ts';

const top = temporaryFolder();
let folders = 0;

/** Writes parts into a folder of their own; the path of the first. */
function write(parts: readonly Split[]): string {
  const folder = join(top, `set${folders++}`);
  mkdirSync(folder);
  return writeParts(parts, (name, bytes) => put(folder, name, bytes))[0];
}

/** The message that a changed set of three is refused with. */
async function refusal(change: (parts: Split[]) => void, opened = 0): Promise<string> {
  const parts = structuredClone(splitContent(tinyContent(), 'tiny', 3));
  change(parts);
  const paths = write(parts);
  const path = join(paths, '..', parts[opened].name);
  const error = await openModel(path).catch((error) => error);
  expect(error).toBeInstanceOf(ModelError);
  expect(error.message).not.toContain('\n');
  return error.message.replaceAll(top, 'TOP');
}

/** Every tensor's bytes, by name. */
async function contentOf(path: string): Promise<Map<string, Uint8Array>> {
  const model = await openModel(path);
  const { embedding, outputNorm, output, layers } = model.tensors;
  const all = [embedding, outputNorm, output, ...layers.flatMap((layer) => Object.values(layer))];
  const read = all.flatMap((tensor) => tensor ?? []);
  const entries = await Promise.all(
    read.map(async (tensor) => [tensor.name, await tensor.read()] as const),
  );
  await model.close();
  return new Map(entries);
}

test.each([
  { count: 2, withoutFirst: false },
  { count: 7, withoutFirst: false },
  { count: 3, withoutFirst: true },
])('$count parts are the model that they were ($withoutFirst)', async ({ count, withoutFirst }) => {
  const content = tinyContent({ type: 'Q8_0', tied: false });
  const whole = put(top, 'whole.gguf', writeGguf(content));
  const first = write(splitContent(content, 'tiny', count, withoutFirst));
  expect(await contentOf(first)).toEqual(await contentOf(whole));
  const model = await openModel(first);
  expect(model).toMatchObject({ path: first, files: count });
  await model.close();
  const [ofWhole, ofParts] = [
    await preparePack({ model: whole }),
    await preparePack({ model: first }),
  ];
  expect(ofParts.sha256).toBe(ofWhole.sha256);
  expect(ofParts.model.fileBytes).toBeGreaterThan(ofWhole.model.fileBytes);
});

test('a pack belongs to the content of all parts', async () => {
  const parts = splitContent(tinyContent(), 'tiny', 3);
  const first = write(parts);
  const before = await preparePack({ model: first });
  expect((await preparePack({ model: first })).wasCached).toBe(true);
  const changed = structuredClone(parts[2]);
  changed.content.tensors[0].bytes[2] ^= 1;
  put(join(first, '..'), changed.name, writeGguf(changed.content));
  const after = await preparePack({ model: first });
  expect(after.sha256).not.toBe(before.sha256);
});

test('what llama-gguf-split has merged says that it has 0 parts', async () => {
  const { metadata, tensors } = tinyContent();
  const merged: GgufContent = {
    metadata: {
      ...metadata,
      'split.no': { type: 'u16', value: 0 },
      'split.count': { type: 'u16', value: 0 },
      'split.tensors.count': { type: 'i32', value: tensors.length },
    },
    tensors,
  };
  const model = await openModel(put(top, 'merged.gguf', writeGguf(merged)));
  expect(model.files).toBe(1);
  await model.close();
});

test.each([
  {
    what: 'another part than the first is given',
    change: () => {},
    opened: 1,
    message:
      'tiny-00002-of-00003.gguf: split.no: found 1: part 2 of 3, expected the first part, ' +
      'which describes the model; give tiny-00001-of-00003.gguf',
  },
  {
    what: 'a part is missing',
    change: (parts: Split[]) => void parts.splice(1, 1),
    message: /parts: found no tiny-00002-of-00003\.gguf, expected all 3 parts in TOP.*; fetch what/,
  },
  {
    what: 'two parts are missing',
    change: (parts: Split[]) => void parts.splice(1, 2),
    message: /found no tiny-00002-of-00003\.gguf and 1 more/,
  },
  {
    what: 'two parts have each other’s names',
    change: ([, second, third]: Split[]) => {
      [second.name, third.name] = [third.name, second.name];
    },
    message:
      /^tiny-00002-of-00003\.gguf: split\.no: found 2, expected 1, as it is named; .*another/,
  },
  {
    what: 'a name says another number of parts',
    change: ([first]: Split[]) => {
      first.name = partName('tiny', 1, 2);
    },
    message: /^tiny-00001-of-00002\.gguf: split\.count: found 3, expected 2, as it is named/,
  },
  {
    what: 'a name is none of a part',
    change: ([first]: Split[]) => {
      first.name = 'mine.gguf';
    },
    message: /^mine\.gguf: file name: found "mine\.gguf", expected NAME-00001-of-00003\.gguf or/,
  },
  {
    what: 'a part is of a set of another size',
    change: ([, second]: Split[]) => {
      second.content.metadata['split.count'] = { type: 'u16', value: 4 };
    },
    message:
      /^tiny-00002\S+ split\.count: found u16 4, expected u16 3, as in the first part; these/,
  },
  {
    what: 'a part is of a model with more tensors',
    change: ([, , third]: Split[]) => {
      third.content.metadata['split.tensors.count'] = { type: 'i32', value: 99 };
    },
    message:
      /^tiny-00003\S+ split\.tensors\.count: found i32 99, expected i32 \d+, as in the first/,
  },
  {
    what: 'a part is a model of its own',
    change: ([, second]: Split[]) => {
      second.content = tinyContent();
    },
    message: /^tiny-00002\S+ split\.count: found nothing, expected u16 3, as in the first part/,
  },
  {
    what: 'a part describes another model',
    change: ([, second]: Split[]) => {
      second.content.metadata['general.name'] = { type: 'string', value: 'another' };
    },
    message:
      /^tiny-00002\S+ general\.name: found the string "another", expected the string "tiny F32"/,
  },
  {
    what: 'a tensor occurs twice',
    change: ([first, second]: Split[]) => {
      const tensors = [...second.content.tensors, first.content.tensors[0]];
      second.content = { ...second.content, tensors };
    },
    message: /^tiny-00002\S+ tensor "\S+": found the tensor that tiny-00001\S+ has too, expected/,
  },
  {
    what: 'a tensor is missing',
    change: ([, , third]: Split[]) => {
      third.content = { ...third.content, tensors: third.content.tensors.slice(1) };
    },
    message: /split\.tensors\.count: found 20, expected 19, the tensors in all 3 parts; these/,
  },
  {
    what: 'there are more tensors than announced',
    change: (parts: Split[]) => {
      for (const { content } of parts) {
        content.metadata['split.tensors.count'] = { type: 'i32', value: 9 };
      }
    },
    message: /^tiny-00002\S+ tensor_count: found 14 tensors up to this part, expected at most 9/,
  },
  {
    what: 'a part has been cut off',
    change: ([, second]: Split[]) => {
      const { tensors } = second.content;
      const cut = tensors.map((tensor, i) =>
        i === tensors.length - 1 ? { ...tensor, bytes: tensor.bytes.slice(0, 8) } : tensor,
      );
      second.content = { ...second.content, tensors: cut };
    },
    message: /^tiny-00002\S+ tensor ".*" end: .*; the file is truncated: fetch it again/,
  },
  {
    what: 'there are more parts than anyone makes',
    change: ([first]: Split[]) => {
      first.content.metadata['split.count'] = { type: 'u16', value: 9999 };
    },
    message: /split\.count: found 9999, expected an integer from 0 to 512/,
  },
])('refused: $what', async ({ change, opened, message }) => {
  const found = await refusal(change, opened);
  if (typeof message === 'string') expect(found).toBe(message);
  else expect(found).toMatch(message);
});

const splitter = join(process.env.LLAMA_BIN ?? '', 'llama-gguf-split');

test.skipIf(!existsSync(splitter))('as llama-gguf-split has them (needs LLAMA_BIN)', async () => {
  const content = tinyContent({ type: 'Q4_0' });
  const whole = put(top, 'original.gguf', writeGguf(content));
  const split = (...args: string[]) => execFileSync(splitter, args, { stdio: 'pipe' });
  for (const options of [[], ['--no-tensor-first-split']]) {
    const folder = join(top, `split${folders++}`);
    mkdirSync(folder);
    split('--split', '--split-max-tensors', '6', ...options, whole, join(folder, 'x'));
    const names = readdirSync(folder).sort();
    expect(names.length).toBeGreaterThan(3);
    const first = join(folder, names[0]);
    expect(await contentOf(first)).toEqual(await contentOf(whole));
    const merged = join(folder, 'merged.gguf');
    split('--merge', first, merged);
    expect(await contentOf(merged)).toEqual(await contentOf(whole));
  }
});
