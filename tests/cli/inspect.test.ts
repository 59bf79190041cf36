/**
 * `mu inspect`: the forward pass on one page, the memory that its guest has, and what it is
 * compiled with.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { mu } from './mu.ts';

let folder: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-inspect-'));
  model = join(folder, 'tiny.gguf');
  const shape = { dim: 256, hidden: 512, heads: 4, kvHeads: 2, layers: 3, tied: false };
  writeFileSync(model, makeTinyGguf({ ...shape, types: ['Q8_0', 'Q8_0', 'Q8_0', 'F16'] }));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function inspect(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await mu(['inspect', model, ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('the forward pass on one page', async () => {
  const text = await inspect('-c', '64');
  const page = text.slice(text.indexOf('forward pass'));
  const steps = ['embed', 'projectQkv', 'attention', 'attentionOutput', 'ffnGateUp', 'ffnDown'];
  let at = 0;
  for (const step of [...steps, 'logitsJob']) {
    const next = page.indexOf(`    ${step} `, at);
    expect(next, step).toBeGreaterThan(at);
    at = next;
  }
  expect(page).toContain('query Q8_0 256 × 256');
  expect(page).toMatch(/cache +f16\[1\]\[3\]\[2\]\[8192\]/);
  const lines = page.split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
});

test('as JSON: steps, buffers, memory', async () => {
  const { plan, memory, pack } = JSON.parse(await inspect('-c', '64', '--json'));
  expect(plan.groups.flatMap(({ layers }: { layers: number[] }) => layers).sort()).toEqual([
    0, 1, 2,
  ]);
  // three layers, two heads for keys and values, 64 values of each, in halves
  expect(plan.cacheBytesPerPosition).toBe(3 * 2 * 2 * 64 * 2);
  expect(memory.keyValueBytes).toBe(64 * plan.cacheBytesPerPosition);
  expect(memory.workBytes).toBeGreaterThan(0);
  expect(pack.bytes).toBeGreaterThan(0);
});

test('--constants: what its guest is compiled with', async () => {
  const text = await inspect('--constants');
  expect(text).toMatch(/^FFN_DIM +512$/m);
  expect(text).toMatch(/^MATRIX_TYPES +i32 \[.* … 21 in all\]$/m);
  const json = await inspect('--constants', '--json');
  const constants = JSON.parse(json);
  expect(constants).toMatchObject({ DIM: 256, FFN_DIM: 512, LAYERS: 3, HAS_QKV_BIAS: false });
  expect(constants.MATRIX_TYPES.value).toHaveLength(21);
  expect(json).toMatch(/"PACK_ID": \{\s+"type": "u64",\s+"value": \d+\s/); // all its digits

  // and so it compiles
  const file = join(folder, 'constants.json');
  writeFileSync(file, json);
  const { code, stdout } = await mu([
    ...['compile', 'chat', '--machine', 'process', '--constants', file],
  ]);
  expect(code).toBe(0);
  expect(stdout).toContain('void layersJob(');
});
