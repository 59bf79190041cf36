import { beforeAll, describe, expect, test } from 'vitest';
import { LEFT_OUT, PLACES, type Place, PREPARE_LIMIT, prepare, start } from './start.ts';

/** Sends one letter to the probe, which does something that cannot end well, and gives its last line. */
async function fail(place: Place, letter: string, options = {}): Promise<string> {
  const guest = await start(place, options);
  await guest.waitFor('ready');
  const { code, signal, output } = await guest.end(letter);
  expect(signal).toBe(null);
  expect(code, output).toBe(place === 'process' ? 1 : 0);
  expect(output).toMatch(/^ready\n\npanic: .*\n$/);
  return output.slice('ready\n\n'.length);
}

if (LEFT_OUT) test.skip(`panics: ${LEFT_OUT}`);

describe.each(PLACES)('panics: %s', (place) => {
  beforeAll(() => prepare(place), PREPARE_LIMIT);

  test('null access', async () => {
    const line = await fail(place, '0');
    expect(line).toMatch(/^panic: page fault at address 0x0\b.*, instruction at 0x[0-9a-f]+/);
  });

  test('division by zero', async () => {
    expect(await fail(place, '1')).toMatch(/^panic: (divide error|trap)/);
  });

  test('unreachable', async () => {
    expect(await fail(place, '2')).toMatch(/^panic: trap \(.*\), instruction at 0x[0-9a-f]+/);
  });

  test('constants cannot be written', async () => {
    expect(await fail(place, '3')).toMatch(/^panic: page fault at address 0x[0-9a-f]+/);
  });

  test('the stack cannot grow into something else', async () => {
    expect(await fail(place, '4')).toMatch(/^panic: page fault at address 0x[0-9a-f]+/);
  });

  test('the pack cannot be written', async () => {
    expect(await fail(place, '6')).toMatch(/^panic: page fault at address 0x[0-9a-f]+/);
  });

  test('a fault inside of a parallel job', async () => {
    const line = await fail(place, '7', { cores: 4 });
    expect(line).toMatch(/^panic: page fault at address 0x0/);
  });

  test('a stack that runs out inside of a parallel job', async () => {
    const line = await fail(place, '8', { cores: 3 });
    expect(line).toMatch(/^panic: page fault at address 0x[0-9a-f]+/);
  });

  test('faults of all cores at once are one line', async () => {
    const line = await fail(place, '9', { cores: 4 });
    expect(line).toMatch(/^panic: page fault at address 0x0/);
  });
});

describe.each(PLACES)('panics of a checked build: %s', (place) => {
  beforeAll(() => prepare(place), PREPARE_LIMIT);

  const checked = { checked: true };

  test('an index outside of its array names file and line', async () => {
    expect(await fail(place, '5', checked)).toMatch(/^panic: .* at .*apps\/probe\.ts:\d+\n$/);
  });

  test('unreachable and division by zero name file and line', async () => {
    expect(await fail(place, '1', checked)).toMatch(/^panic: .* at .*apps\/probe\.ts:\d+\n$/);
    expect(await fail(place, '2', checked)).toMatch(/^panic: .* at .*apps\/probe\.ts:\d+\n$/);
  });
});
