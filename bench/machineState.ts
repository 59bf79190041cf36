/**
 * What these figures were taken on. Virtual cores move: how long a cache line takes from one to the other tells whether they
 * now share a core's neighbourhood, and figures are comparable only within one state.
 */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';

/** CPU, number of cores, load. */
export function describeMachine(): string {
  const [first] = cpus();
  const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  const units = ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16'].filter((unit) =>
    ` ${flags} `.includes(` ${unit} `),
  );
  const load = loadavg()[0].toFixed(1);
  return `${first.model}, ${cpus().length} CPUs, ${units.join(' ')}; load ${load}; Node ${process.version}`;
}

/** Nanoseconds that one cache line takes from one thread to another: half a round trip, mean of 100,000. */
export async function measureHop(): Promise<number> {
  const rounds = 100_000;
  const shared = new Int32Array(new SharedArrayBuffer(64));
  const echo = `
    const { workerData: shared } = require('node:worker_threads');
    for (let i = 1; i <= ${rounds}; i++) {
      while (Atomics.load(shared, 0) !== 2 * i - 1);
      Atomics.store(shared, 0, 2 * i);
    }`;
  const worker = new Worker(echo, { eval: true, workerData: shared });
  await new Promise((resolve) => worker.once('online', resolve));
  let start = 0n;
  for (let i = 1; i <= rounds; i++) {
    if (i === 2) start = process.hrtime.bigint(); // the first round waits for the thread to start
    Atomics.store(shared, 0, 2 * i - 1);
    while (Atomics.load(shared, 0) !== 2 * i);
  }
  const nanoseconds = Number(process.hrtime.bigint() - start);
  await worker.terminate();
  return nanoseconds / (2 * (rounds - 1));
}

/** Bytes per nanosecond (GB/s) that one thread copies, 256 MiB to 256 MiB; reads and writes both counted. */
export function measureCopy(): number {
  const size = 256 << 20;
  const from = Buffer.alloc(size, 1);
  const to = Buffer.alloc(size);
  const speeds = [1, 2, 3].map(() => {
    const start = process.hrtime.bigint();
    from.copy(to);
    return (2 * size) / Number(process.hrtime.bigint() - start);
  });
  return Math.max(...speeds);
}

export async function describeState(): Promise<string> {
  const hop = await measureHop();
  return `hop ${hop.toFixed(0)} ns, copy ${measureCopy().toFixed(1)} GB/s`;
}
