/**
 * What a process holds in memory is what was planned: the pack, the KV cache as far as it is used,
 * and little else.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { prepareGuest } from '../../src/stacks/prepare.ts';
import { startProcess } from '../../src/stacks/process.ts';
import { hasStories260K, NO_STORIES, stories260K } from './sharedModels.ts';

const MIB = 2 ** 20;

test.skipIf(!hasStories260K)(
  `pack + KV cache + work buffers, and at most 1 MiB besides; 4 MiB beside pack and KV cache ${hasStories260K ? '' : NO_STORIES}`,
  async () => {
    const { guest, pack, memory } = await prepareGuest({ ...stories260K, machine: 'process' });
    const running = startProcess({ elf: guest.elf, pack: pack.path, threads: 2 });
    try {
      // until the context is full, so that all of the KV cache has been written
      const settings = { ...DEFAULT_SETTINGS, predict: -1, raw: true };
      for (let used = 0; used < pack.plan.context; ) {
        used = (await running.ask(' and', settings)).report.contextUsed;
      }
      const status = readFileSync(`/proc/${running.transport.pid}/status`, 'utf8');
      const peak = Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) * 1024;
      const { keyValueBytes, workBytes } = memory;
      expect(peak).toBeGreaterThan(keyValueBytes);
      expect(peak).toBeLessThan(pack.bytes + keyValueBytes + workBytes + MIB);
      expect(peak).toBeLessThan(pack.bytes + keyValueBytes + 4 * MIB);
    } finally {
      await running.close();
    }
  },
);
