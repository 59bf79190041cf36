/** Two units of one program, linked: each has its own functions, both have the same storage. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { compileArguments, linkArguments, runTool } from '../../src/toolchain/clang.ts';
import { archModules } from '../../src/toolchain/guest.ts';
import { BASE_VARIANT } from '../../src/toolchain/variants.ts';
import { LINUX } from './build.ts';

const SOURCES = {
  'start.ts': `${LINUX}
    import { count, total } from './count.ts';
    const counters: FixedArray<(times: i32) => i32> = everyUnit(count);
    /** @symbol start */
    function start(stack: Ptr<usize>): void {
      const first = counters[0](3);
      const second = counters[1](4);
      const third = counters[0](5);
      call(1, 1, changetype<usize>(ref(total.of[0])), 4);
      call(60, usize(first * 100 + second * 10 + third), 0, 0);
    }
  `,
  // Names that collide within the program and with the prelude: storage has the same symbol in both
  // units all the same.
  'count.ts': `
    import { STEP } from 'kind';
    import { bump } from './more.ts';
    export class Total { of!: FixedArray<u8, 4>; }
    /** @align 64 */
    export const total = zeroed<Total>();
    let calls: i32 = 0;
    let memcpy: i32 = 48;
    export function count(times: i32): i32 {
      for (let i: i32 = 0; i < times; i++) {
        total.of[STEP] = total.of[STEP] + 1;
      }
      total.of[2] = u8(memcpy + bump());
      memory.copy(ref(total.of[3]), ref(total.of[2]), usize(times) / usize(times));
      calls++;
      return calls;
    }
  `,
  'more.ts': `
    let calls: i32 = 0;
    export function bump(): i32 {
      calls += 2;
      return calls;
    }
  `,
};

const folder = mkdtempSync(join(tmpdir(), 'mu-units-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([false, true])('checked: %s', (checked) => {
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, name), text);
  const { c, units, diagnostics } = compileToC({
    entry: join(folder, 'start.ts'),
    modules: { ...archModules(), kind: { STEP: 0 } },
    units: [{ name: 'other', root: join(folder, 'count.ts'), modules: { kind: { STEP: 1 } } }],
    target: { arch: 'x86_64' },
    checked,
  });
  expect(formatDiagnostics(diagnostics)).toBe('');
  const objects = Object.entries({ main: c, ...units }).map(([name, text]) => {
    const [source, object] = ['c', 'o'].map((ending) => join(folder, `${name}.${ending}`));
    writeFileSync(source, text);
    runTool('clang', [...compileArguments('process', BASE_VARIANT, source, object), '-Werror']);
    return object;
  });
  expect(objects).toHaveLength(2);
  const elf = join(folder, 'program');
  runTool('lld', linkArguments('process', objects, elf));
  const { status, stdout } = spawnSync(elf);
  // 3 + 5 counted by the main unit, 4 by the other; "6" is 48 plus three times two; calls 1, 2 and
  // 3 of one counter.
  expect([...stdout]).toEqual([8, 4, 48 + 6, 48 + 6]);
  expect(status).toBe(123);
});
