import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connectGuest, type Guest, type GuestSettings } from '../../src/console/guest.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { processTransport } from '../../src/console/transport.ts';

const fake = fileURLToPath(new URL('fakeGuest.ts', import.meta.url));

function start(mode = 'normal', settings: GuestSettings = {}): Guest {
  const child = spawn(process.execPath, ['--import', 'tsx', fake, mode], { stdio: 'pipe' });
  return connectGuest(processTransport(child), settings);
}

test('asks, streams, reports and switches off', async () => {
  const guest = start();
  await guest.ready();
  let streamed = '';
  const onBytes = (bytes: Uint8Array) => {
    streamed += Buffer.from(bytes).toString('latin1');
  };
  const settings = { ...DEFAULT_SETTINGS, topK: 7, seed: 2n ** 64n - 1n };
  const answer = await guest.ask('é\x03\x10!', settings, { onBytes });
  expect(answer.text).toBe('é\x03\x10!é\x03\x10!');
  expect(Buffer.from(streamed, 'latin1').toString()).toBe(answer.text);
  expect(answer.report).toMatchObject({ promptTokens: 7, stop: 'end', tokensHash: settings.seed });
  expect(guest.consoleText()).toBe('fake guest\r\n');
  expect(await guest.close()).toBe(0);
  const { firstByte, ready, firstToken, lastToken, exited } = guest.timeline;
  const times = [firstByte, ready, firstToken, lastToken, exited] as number[];
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('questions wait for each other, and an empty one is a question', async () => {
  const guest = start();
  const asked = ['a', '', 'c'].map((text) => guest.ask(text, DEFAULT_SETTINGS));
  expect((await Promise.all(asked)).map((answer) => answer.text)).toEqual(['aa', '', 'cc']);
  await guest.close();
});

test('cancel ends an answer, not the guest', async () => {
  const guest = start();
  const cancel = new AbortController();
  const onBytes = () => cancel.abort();
  const settings = DEFAULT_SETTINGS;
  const answer = await guest.ask('forever', settings, { signal: cancel.signal, onBytes });
  expect(answer.report.stop).toBe('cancelled');
  expect((await guest.ask('b', settings)).text).toBe('bb');
  expect(await guest.close()).toBe(0);
});

test('a panic within an answer is an error that quotes it', async () => {
  const guest = start();
  await expect(guest.ask('panic', DEFAULT_SETTINGS)).rejects.toThrow(
    /ended with exit code 1 while it answered.*\n.*panic: index 7 outside of 4 at guest\/x.ts:12/,
  );
  await expect(guest.ask('again', DEFAULT_SETTINGS)).rejects.toThrow('exit code 1');
  await guest.close();
});

test('an early end is an error with the console text', async () => {
  const guest = start('early-exit');
  await expect(guest.ready()).rejects.toThrow(/before it was ready.*\n.*\n.*panic: no pack/);
  await guest.close();
});

test('an exit within an answer and a malformed report are errors', async () => {
  const first = start();
  await expect(first.ask('die', DEFAULT_SETTINGS)).rejects.toThrow('exit code 3');
  const second = start();
  await expect(second.ask('nonsense', DEFAULT_SETTINGS)).rejects.toThrow('expected 224');
  await second.close();
});

test('a guest that never gets ready, or never ends, is not waited for', async () => {
  const silent = start('silent', { readyTimeout: 300 });
  await expect(silent.ready()).rejects.toThrow('not ready within 0.3 s');
  silent.transport.kill();
  const deaf = start('deaf', { closeTimeout: 200 });
  await deaf.ready();
  expect(await deaf.close()).toBe(null);
  expect((await deaf.transport.ended).signal).toBe('SIGKILL');
});

test('a program that does not exist is an error', async () => {
  const guest = connectGuest(processTransport(spawn('/nonexistent/guest', { stdio: 'pipe' })));
  await expect(guest.ready()).rejects.toThrow(/did not start: .*ENOENT/);
});
