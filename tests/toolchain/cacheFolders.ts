/** Caches of a test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** Until the file's tests have ended, the cache is an empty folder. */
export function useCache(): void {
  const before = process.env.MU_CACHE;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mu-cache-'));
    process.env.MU_CACHE = folder;
  });
  afterAll(() => {
    if (before === undefined) delete process.env.MU_CACHE;
    else process.env.MU_CACHE = before;
    rmSync(folder, { recursive: true });
  });
}
