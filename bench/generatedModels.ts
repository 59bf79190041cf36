/**
 * Small models of random weights, one for each family, made by ../shared/generate.py (or
 * $MU_GENERATOR) with the gguf package of Python, and their quantizations by llama-quantize.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, PROJECT_ROOT } from '../src/toolchain/cache.ts';
import { findPeer, runProgram } from './peer.ts';

const PACKAGES = ['numpy==2.4.6', 'gguf==0.19.0'];

/** generate.py's dense families, by its names. */
export const denseFamilies = [
  ...['llama', 'llama3', 'llama-linear', 'llama-yarn', 'mistral3', 'qwen2', 'qwen3', 'gemma2'],
  ...['gemma3', 'phi3', 'phi3-long', 'smollm3', 'granite', 'olmo2', 'olmo3', 'exaone4'],
  ...['ernie4_5', 'hunyuan-dense'],
] as const;

export interface Quantization {
  /** As llama-quantize calls it. */
  type: string;
  /** Width of the model; 256 is generate.py's own, of 192 no K-quants can be made. */
  dim: 256 | 192;
  /** Every matrix has the very type, none a larger or a smaller one. */
  isPure?: boolean;
}

/** Writes the family's model in F32 into the folder, and returns its path. */
export function generateModel(family: string, dim: number, folder: string): string {
  const generator = process.env.MU_GENERATOR ?? join(PROJECT_ROOT, '../shared/generate.py');
  if (!existsSync(generator)) {
    throw new Error(`${generator} is not here: set MU_GENERATOR to the path of generate.py`);
  }
  const own = join(folder, `${dim}`);
  runProgram(findPython(), [generator, own, family, '--dim', `${dim}`]);
  return join(own, `${family}.gguf`);
}

/** Writes another type of the F32 model to `path`. */
export function quantizeModel(model: string, { type, isPure }: Quantization, path: string): void {
  const options = isPure ? ['--pure'] : [];
  runProgram(join(findPeer(), 'llama-quantize'), [...options, model, path, type]);
}

/** A Python with the packages: $MU_PYTHON, or one of its own in the cache. */
function findPython(): string {
  if (process.env.MU_PYTHON) return process.env.MU_PYTHON;
  const folder = join(cacheFolder(), 'bench/python');
  if (!existsSync(folder)) {
    const partial = `${folder}.partial`;
    mkdirSync(join(cacheFolder(), 'bench'), { recursive: true });
    process.stderr.write(`installing ${PACKAGES.join(' and ')} into ${folder}\n`);
    runProgram('python3', ['-m', 'venv', '--clear', partial]);
    runProgram(join(partial, 'bin/python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES]);
    renameSync(partial, folder);
  }
  return join(folder, 'bin/python');
}
