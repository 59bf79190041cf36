/** What these figures were taken on. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';

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
