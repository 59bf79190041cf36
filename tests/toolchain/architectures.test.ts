import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ARCHITECTURES } from '../../src/compiler/index.ts';
import {
  GUEST_MACHINES,
  isTarget,
  TARGET_NAMES,
  targetNamed,
} from '../../src/toolchain/architectures.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { linkArguments } from '../../src/toolchain/clang.ts';
import { toolNamed } from '../../src/toolchain/tools.ts';

test.each(TARGET_NAMES)('%s: what its row names is there', (name) => {
  const { machines, uefi, triple } = targetNamed(name);
  expect(triple.split('-')[0]).toBe(name);
  expect(existsSync(join(PROJECT_ROOT, 'guest/arch', name))).toBe(true);
  for (const machine of GUEST_MACHINES) {
    const { script } = machines[machine];
    if (script !== undefined) expect(existsSync(join(PROJECT_ROOT, script)), script).toBe(true);
    expect(linkArguments(machine, ['a.o'], 'a.elf', name).includes('-T')).toBe(!!script);
  }
  expect(toolNamed(uefi.tool).file).toMatch(/\.fd$/);
});

test('one that nothing is built for: the error says who asks, and names what there is', () => {
  const others = ARCHITECTURES.filter((name) => !isTarget(name));
  expect(others).toContain('wasm32');
  for (const name of [...others, 'toString', '']) {
    expect(() => targetNamed(name, 'image')).toThrow(
      `image: unsupported architecture ${name}: guests are built for ${TARGET_NAMES.join(', ')}`,
    );
  }
});
