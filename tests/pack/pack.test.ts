import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Model, openModel } from '../../src/model/index.ts';
import { createPack, type Pack } from '../../src/pack/index.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

let folder: string;
let model: Model;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mu-pack-'));
  await writeFile(join(folder, 'tiny.gguf'), makeTinyGguf({ type: 'Q4_1', context: 512 }));
  model = await openModel(join(folder, 'tiny.gguf'));
});

afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true, force: true });
});

async function bytesOf(pack: Pack): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of pack.content()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('the pack', () => {
  it('depends on the model and the options only', async () => {
    const hash = async (context: number) => {
      const bytes = await bytesOf(await createPack(model, { context }));
      return createHash('sha256').update(bytes).digest('hex');
    };
    expect(await hash(64)).toBe(await hash(64));
    expect(await hash(64)).not.toBe(await hash(128));
  });

  it('has the header and the section table of docs/pack-format.md', async () => {
    const pack = await createPack(model, { context: 64 });
    const bytes = await bytesOf(pack);
    expect(bytes.subarray(0, 8)).toEqual(Buffer.from('mupack\0\x04'));
    expect(bytes.readBigUInt64LE(16)).toBe(BigInt(bytes.length));
    expect(bytes.length).toBe(pack.bytes);
    expect(bytes.readUInt32LE(28)).toBe(64);
    expect(bytes.subarray(32, 64).every((byte) => byte === 0)).toBe(true);
    const sections = Array.from({ length: bytes.readUInt32LE(24) }, (_, i) => {
      const entry = bytes.subarray(64 + i * 72, 136 + i * 72);
      const name = entry.toString('latin1', 0, entry.indexOf(0));
      const [offset, length] = [entry.readBigUInt64LE(40), entry.readBigUInt64LE(48)].map(Number);
      return { name, offset, length, type: entry.readInt32LE(64) };
    });
    expect(sections.map(({ name }) => name)).toContain('layer.1.attentionOutput');
    let end = 64 + sections.length * 72;
    for (const section of sections) {
      expect(section.offset % 64).toBe(0);
      expect(section.offset).toBeGreaterThanOrEqual(end);
      end = section.offset + section.length;
      expect(section.type).toBe(/^(layer|embedding|output)/.test(section.name) ? 5 : -1);
    }
    expect(end).toBeLessThanOrEqual(bytes.length);
  });

  it('has the context that was asked for, or the model’s own', async () => {
    const contextOf = async (context: number) =>
      (await createPack(model, { context })).plan.context;
    expect(await Promise.all([100, 512, 0].map(contextOf))).toEqual([100, 512, 512]);
  });

  it.each([15, 513, 1.5, Number.NaN])('refuses a context of %s positions', async (context) => {
    await expect(createPack(model, { context })).rejects.toThrow(/context size \(-c\).*16 … 512/);
  });
});
