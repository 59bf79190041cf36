/**
 * What host and guest both write down is the same: the guest's is read through the compiler. And
 * the guard is one: every such value is changed in the guest's text, one at a time, and seen to
 * differ.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import type { Constants } from '../../src/compiler/index.ts';
import { openModel } from '../../src/model/index.ts';
import { createPack } from '../../src/pack/index.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';
import { readGuest } from './guestModule.ts';
import { sharedValues } from './sharedValues.ts';

let constants: Constants;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mu-shared-'));
  const path = join(folder, 'tiny.gguf');
  writeFileSync(path, makeTinyGguf({ type: 'Q8_0' }));
  const model = await openModel(path);
  constants = (await createPack(model)).constants;
  await model.close();
  rmSync(folder, { recursive: true });
});

test.each(sharedValues)('$group: $what of $file is the host’s', ({ file, host, guest }) => {
  expect(guest(readGuest(file, constants))).toEqual(host);
});

test('a change to any of them in the guest is noticed', () => {
  const rows: string[] = [];
  const missed: string[] = [];
  for (const { group, what, file, host, guest, mutations } of sharedValues) {
    expect(mutations.length, `${group}: ${what}`).toBeGreaterThan(0);
    for (const mutation of mutations) {
      const isNoticed = !isDeepStrictEqual(guest(readGuest(file, constants, mutation)), host);
      if (!isNoticed) missed.push(`${file}: ${mutation.what}`);
      rows.push(`${group.padEnd(20)} ${isNoticed ? 'noticed' : 'MISSED '}  ${mutation.what}`);
    }
  }
  console.log(`${rows.join('\n')}\n${rows.length} changes, ${missed.length} missed`);
  expect(missed).toEqual([]);
}, 120_000);
