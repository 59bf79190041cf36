/** A pack or an image that is not what was written is refused before anything boots. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  checkFiles,
  type ImageDescription,
  readManifest,
  writeManifest,
} from '../../src/stacks/manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-manifest-'));
afterAll(() => rmSync(folder, { recursive: true }));

const path = join(folder, 'model.pack');
writeFileSync(path, 'whole');

/** An image of one file, made from a pack with this SHA-256. */
function imageOf(sha256: string): ImageDescription {
  const pack = { path, sha256, plan: { context: 16, sizes: { cacheType: 'f16' } }, model: {} };
  const guest = { architecture: 'x86_64' };
  const prepared = { pack, guest, ctxShift: true } as ImageDescription['prepared'];
  const files = [{ name: 'model.pack', what: 'a pack' }];
  return { stack: 'unikernel', prepared, checked: false, files, memory: [] };
}

test('no image is made from a cached pack that is damaged', async () => {
  await expect(writeManifest(folder, imageOf('0'.repeat(64)))).rejects.toThrow(
    /model\.pack is damaged: SHA-256 [0-9a-f]{64}, written was 0{64}\. Remove it/,
  );
  await expect(readManifest(folder)).rejects.toThrow('is not a built image');
});

test('a file of an image that has changed since is named', async () => {
  const sha256 = createHash('sha256').update('whole').digest('hex');
  const manifest = await writeManifest(folder, imageOf(sha256));
  await checkFiles(folder, manifest);
  expect(manifest.options).toEqual({ context: 16, checked: false, ctxShift: true, kv: 'f16' });
  writeFileSync(path, 'whale');
  await expect(checkFiles(folder, manifest)).rejects.toThrow('model.pack is damaged');
  writeFileSync(path, 'wh');
  await expect(checkFiles(folder, manifest)).rejects.toThrow('has 2 bytes, built were 5');
  rmSync(path);
  await expect(checkFiles(folder, manifest)).rejects.toThrow('model.pack is missing');
});

test('an image for a processor that nothing is built for is refused, and what there is is named', async () => {
  const sha256 = createHash('sha256').update('whole').digest('hex');
  writeFileSync(path, 'whole');
  await writeManifest(folder, imageOf(sha256));
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  expect(manifest.architecture).toBe('x86_64');
  writeFileSync(file, JSON.stringify({ ...manifest, architecture: 'sparc64' }));
  await expect(readManifest(folder)).rejects.toThrow(
    `${file}: unsupported architecture sparc64: guests are built for x86_64`,
  );
});
