import { describe, expect, test } from 'vitest';
import { start } from './start.ts';

describe.each(['microvm', 'q35'] as const)('pc: a machine that will do: %s', (place) => {
  test('the memory that the message asks for', async () => {
    const words = (await (await start(place, { app: 'large', memoryMib: 64 })).end()).output;
    const memoryMib = Number(/more than (\d+) MiB/.exec(words)![1]) + 1;
    const guest = await start(place, { app: 'large', memoryMib });
    expect(await guest.end()).toMatchObject({ code: 0, output: 'all zero, then all ones\n' });
  });

  test('without a PIT, where nothing tells the clock its rate', async () => {
    const qemu = place === 'microvm' ? ['-M', 'microvm,acpi=off,pit=off'] : ['-M', 'q35,pit=off'];
    const guest = await start(place, { qemu });
    await guest.waitFor('ready');
    const { output } = await guest.end('nb\x04');
    expect(output).toMatch(/^ready\nnow \d+\nboot 0\n$/);
  });

  const tables =
    place === 'microvm' ? 'ACPI in place of an MP table' : 'an MP table in place of ACPI';
  test(`cores, by ${tables}`, async () => {
    const qemu = ['-M', place === 'microvm' ? 'microvm,acpi=on' : 'q35,acpi=off'];
    const guest = await start(place, { qemu, cores: 3 });
    await guest.waitFor('ready');
    expect((await guest.end('a\x04')).output).toBe('ready\ncores 3\nindices right 64\n');
  });

  test('more processors than it has stacks for', async () => {
    const guest = await start(place, { cores: 20 });
    await guest.waitFor('ready');
    expect((await guest.end('v\x04')).output).toBe('ready\nsum 48\n');
  });
});
