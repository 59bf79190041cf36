/** Files for the tests of this folder: temporary ones, and the shared models where they are. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/**
 * The folder of $MU_MODELS that has them, else the one that lies beside a checkout. Its README says
 * what is in it.
 */
export const sharedModels =
  (process.env.MU_MODELS ?? '').split(':').find((folder) => existsSync(join(folder, 'vocab'))) ??
  fileURLToPath(new URL('../../../shared/models', import.meta.url));

export const hasSharedModels = existsSync(join(sharedModels, 'stories260K.bin'));

/** A folder of its own for a test file, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mu-model-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file into a folder and returns its path. */
export function put(folder: string, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}
