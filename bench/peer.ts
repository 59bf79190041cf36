/** llama.cpp's programs: the peer that every figure here is measured beside. */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder, PROJECT_ROOT } from '../src/toolchain/cache.ts';

const UNPACKER = join(PROJECT_ROOT, '../shared/peers/llama.cpp');

/**
 * The folder with llama-bench, llama-perplexity, llama-quantize: $LLAMA_BIN, or unpacked once into
 * the cache by ../shared/peers/llama.cpp. Throws what to do where neither is there.
 */
export function findPeer(): string {
  const { LLAMA_BIN } = process.env;
  if (LLAMA_BIN) {
    if (existsSync(join(LLAMA_BIN, 'llama-bench'))) return LLAMA_BIN;
    throw new Error(`LLAMA_BIN=${LLAMA_BIN}: no llama-bench in it`);
  }
  const folder = join(cacheFolder(), 'bench/llama.cpp');
  if (existsSync(join(folder, 'bin/llama-bench'))) return join(folder, 'bin');
  if (!existsSync(UNPACKER)) {
    throw new Error(
      `no llama.cpp to compare with: set LLAMA_BIN to the folder of its programs (${UNPACKER} is not here)`,
    );
  }
  process.stderr.write(`unpacking llama.cpp into ${folder}\n`);
  runProgram(UNPACKER, [folder]);
  return join(folder, 'bin');
}

/**
 * The model's weights in F32, as llama-quantize has them: written once for each name and kept in
 * the cache.
 */
export function dequantized(model: string): string {
  const path = join(cacheFolder(), 'bench', `${basename(model, '.gguf')}.f32.gguf`);
  if (!existsSync(path)) {
    const partial = `${path}.${process.pid}.part`;
    dequantizeModel(model, partial);
    renameSync(partial, path);
  }
  return path;
}

/** The same to a place of one's own. */
export function dequantizeModel(model: string, path: string): void {
  runProgram(join(findPeer(), 'llama-quantize'), ['--allow-requantize', model, path, 'F32']);
}

/** Runs a program to its end and returns stdout and stderr. Throws its last lines if it fails. */
export function runProgram(
  command: string,
  args: readonly string[],
): { stdout: string; stderr: string } {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status === 0) return { stdout: run.stdout, stderr: run.stderr };
  const ending = run.error?.message ?? `exit code ${run.status ?? run.signal}`;
  const words = `${run.stdout ?? ''}${run.stderr ?? ''}`.trimEnd().split('\n').slice(-5).join('\n');
  throw new Error(`${[command, ...args].join(' ')}: ${ending}\n${words}`);
}

/** The number that follows `label` in a program's output. */
export function figureAfter(output: string, label: RegExp): number {
  const match = new RegExp(`${label.source}\\s*(-?[0-9.]+)`).exec(output);
  if (!match)
    throw new Error(`expected ${label} in the output, found none:\n${output.slice(-500)}`);
  return Number(match[1]);
}
