/** The memory that the compiler finds in a guest's source is what the linked program takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openModel } from '../../src/model/index.ts';
import { withCacheType } from '../../src/pack/cacheType.ts';
import { createPack, type Pack } from '../../src/pack/index.ts';
import { memoryOf } from '../../src/plan/memory.ts';
import { KV_GROUP } from '../../src/plan/sizes.ts';
import { elfFootprint } from '../../src/toolchain/elf.ts';
import { compileGuest, guestStorage } from '../../src/toolchain/guest.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-memory-'));
  writeFileSync(join(folder, 'tiny.gguf'), makeTinyGguf({ type: 'Q4_1', context: 512 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function packOf(context: number): Promise<Pack> {
  const model = await openModel(join(folder, 'tiny.gguf'));
  try {
    return await createPack(model, { context });
  } finally {
    await model.close();
  }
}

test.each([64, 512])('%i positions', async (context) => {
  const { constants, plan } = await packOf(context);
  const { elf, storage } = await compileGuest({ machine: 'pc', app: 'chat', constants });
  const { keyValueBytes, workBytes, machineBytes } = memoryOf(storage);
  const { zeroBytes } = elfFootprint(elf);
  // beside the storage: what the linker script sets apart for stacks, and alignment
  const planned = keyValueBytes + workBytes + machineBytes;
  const stacks = 16 * 32 * 1024;
  expect(zeroBytes).toBeGreaterThan(keyValueBytes + workBytes);
  expect(Math.abs(zeroBytes - planned)).toBeLessThan(stacks + 256 * 1024);

  const cache = plan.buffers.find(({ name }) => name === 'cache');
  expect(cache?.shape.reduce((product, size) => product * size, 2)).toBe(keyValueBytes);
  expect(plan.cacheBytesPerPosition * context).toBe(keyValueBytes);
});

test('keys and values in 8 bits take 9 bits each', async () => {
  const halves = await packOf(512);
  const { constants, plan } = withCacheType(halves, 'q8');
  const storage = await guestStorage('pc', 'chat', constants);
  const { keyValueBytes } = memoryOf(storage);
  const { shape } = plan.buffers.find(({ name }) => name === 'cache') ?? { shape: [] };
  expect(shape.reduce((product, size) => product * size, KV_GROUP + 2)).toBe(keyValueBytes);
  expect(plan.cacheBytesPerPosition * 512).toBe(keyValueBytes);
  expect(keyValueBytes / (halves.plan.cacheBytesPerPosition * 512)).toBe(9 / 16);
});

test('mu inspect finds it without clang', async () => {
  const { constants } = await packOf(64);
  const found = await guestStorage('pc', 'chat', constants);
  const { storage } = await compileGuest({ machine: 'pc', app: 'chat', constants });
  const bytesOf = (all: typeof found) => {
    const sum = memoryOf(all);
    return [sum.keyValueBytes, sum.workBytes];
  };
  expect(bytesOf(found)).toEqual(bytesOf([...storage]));
});
