import { describe, expect, test } from 'vitest';
import { type StartOptions, start, writeScratch } from './start.ts';

/** Boots the probe on a machine that will not do, and gives its last words. */
async function lastWords(place: 'microvm' | 'q35', options: StartOptions): Promise<string> {
  const guest = await start(place, options);
  const { code, output } = await guest.end();
  expect(code, `${output}\n${guest.errors()}`).toBe(0);
  return output;
}

describe.each(['microvm', 'q35'] as const)('pc: a machine that will not do: %s', (place) => {
  test('no pack', async () => {
    expect(await lastWords(place, { pack: null })).toBe(
      '\npanic: no model pack: hand it over as initrd (QEMU: -initrd model.pack)\n',
    );
  });

  test('less memory than the image takes', async () => {
    // The large app declares 200 MiB of storage.
    expect(await lastWords(place, { app: 'large', memoryMib: 64 })).toMatch(
      /^\npanic: not enough memory: the image takes \d+ MiB, the model pack 1 MiB, but RAM ends at 6[34] MiB\. Give the machine more than \d+ MiB \(QEMU: -m\)\n$/,
    );
  });

  test('a pack that would lie in the image', async () => {
    const pack = writeScratch(`huge-${place}`, Buffer.alloc(20 << 20));
    expect(await lastWords(place, { app: 'large', memoryMib: 210, pack })).toMatch(
      /^\npanic: not enough memory: the image takes \d+ MiB, the model pack 20 MiB/,
    );
  });

  test.each(['qemu64', 'Nehalem', 'SandyBridge', 'max,-fma', 'max,-avx2'])(
    'a CPU like %s',
    async (cpu) => {
      expect(await lastWords(place, { qemu: ['-cpu', cpu] })).toMatch(
        /^\npanic: this CPU has no \S+; the program is compiled for x86-64-v3/,
      );
    },
  );
});

describe.each(['microvm', 'q35'] as const)('pc: a machine that will do: %s', (place) => {
  test('the memory that the message asks for', async () => {
    const words = await lastWords(place, { app: 'large', memoryMib: 64 });
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

  test('without a serial port: it ends all the same', async () => {
    const guest = await start(place, { serial: false });
    expect(await guest.end()).toMatchObject({ code: 0, output: '' });
  });
});
