/** How many lines a BusyBox consists of, as kernel.ts counts those of a kernel. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { countFiles, type KernelLines } from './kernel.ts';

/**
 * tree: the folder that it was built in, absolute. Every file that the compiler opened for the
 * target; what stands under `generated` came from elsewhere: the headers of musl and of the
 * compiler.
 */
export function countBusyboxLines(tree: string, compiler: string): KernelLines {
  const files = new Set<string>();
  for (const name of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    if (!/(?:^|\/)\.[^/]*\.o\.cmd$/.test(name)) continue;
    const text = readFileSync(join(tree, name), 'utf8');
    if (!text.includes(` := ${compiler} `)) continue; // a program that only ran on the host
    for (const path of dependencies(text)) files.add(resolve(tree, path));
  }
  return countFiles([...files].sort(), tree);
}

/** `deps_X := \` and a path per line; $(wildcard …) stands for options. */
function dependencies(text: string): string[] {
  const list = /^deps_\S+ := \\\n((?: .*\n)*)/m.exec(text);
  const paths = (list?.[1] ?? '').split('\n').map((line) => line.replace(/\\$/, '').trim());
  return paths.filter((path) => path !== '' && !path.startsWith('$('));
}
