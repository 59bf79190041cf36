import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Reporter, TestModule, TestSpecification } from 'vitest/node';
import { root } from './committed.ts';

/**
 * After each file: how many are done, and about how long the rest takes. How long each file took is
 * kept in $MU_TEST_SECONDS, by which `mu test` and the next run tell (src/cli/test.ts).
 */
export default class Progress implements Reporter {
  readonly #path = process.env.MU_TEST_SECONDS;
  #before: Record<string, number> = {};
  readonly #now: Record<string, number> = {};
  #files: string[] = [];
  #startedAt = 0;

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.#startedAt = performance.now();
    this.#files = specifications.map(({ moduleId }) => relative(root, moduleId));
    if (this.#path) this.#before = readSeconds(this.#path);
  }

  onTestModuleEnd(module: TestModule): void {
    this.#now[relative(root, module.moduleId)] = module.diagnostic().duration / 1000;
    if (!this.#path) return;
    const elapsed = (performance.now() - this.#startedAt) / 1000;
    const count = `${Object.keys(this.#now).length} of ${this.#files.length} files`;
    const left = this.#left(elapsed);
    const rest = left === undefined ? '' : `, about ${formatMinutes(left)} left`;
    process.stdout.write(`   ${count}, ${formatMinutes(elapsed)}${rest}\n`);
  }

  onTestRunEnd(): void {
    if (!this.#path) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    const all = { ...readSeconds(this.#path), ...this.#now };
    writeFileSync(this.#path, `${JSON.stringify(all, null, 2)}\n`);
  }

  /** Seconds: the pace so far, over what the remaining files took before. */
  #left(elapsed: number): number | undefined {
    const sum = (files: readonly string[]) =>
      files.reduce((total, file) => total + (this.#before[file] ?? 0), 0);
    const done = sum(Object.keys(this.#now));
    return done > 0 ? (elapsed * (sum(this.#files) - done)) / done : undefined;
  }
}

function readSeconds(path: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {}; // the first run
  }
}

/** `3:20 min` */
function formatMinutes(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}
