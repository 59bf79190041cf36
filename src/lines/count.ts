/** How many lines a build consists of: what was really compiled, found by following imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { resolveBare } from '../compiler/parse/bare.ts';

export interface LineCount {
  files: number;
  /** Lines that hold code. */
  code: number;
  /** All lines: code, comments, blank ones. */
  all: number;
}

/** Counts of the guest's modules by layer: the folder below guest/, `engine`, `kernels`, …. */
export function countByLayer(files: readonly string[], guest: string): Map<string, LineCount> {
  const layers = new Map<string, LineCount>();
  for (const file of [...files].sort()) {
    const layer = dirname(relative(guest, file));
    layers.set(layer, addCounts(layers.get(layer), countLines(readFileSync(file, 'utf8'))));
  }
  return layers;
}

/** Every TypeScript file below a folder. */
export function countFolder(folder: string): LineCount {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => countLines(readFileSync(join(folder, name), 'utf8')))
    .reduce(addCounts, { files: 0, code: 0, all: 0 });
}

export function addCounts(a: LineCount | undefined, b: LineCount): LineCount {
  if (!a) return b;
  return { files: a.files + b.files, code: a.code + b.code, all: a.all + b.all };
}

/**
 * One file of TypeScript or C. A line is code unless it is blank or all comment; block comments are
 * found where they stand alone, which is how this project's formatter leaves them. `#line` tells
 * the debugger something and is no code.
 */
export function countLines(text: string): LineCount {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let code = 0;
  let inComment = false;
  for (const line of lines.map((line) => line.trim())) {
    if (inComment) {
      inComment = !line.includes('*/');
    } else if (line.startsWith('/*') && !/\*\/.*\S/.test(line)) {
      inComment = !line.includes('*/');
    } else if (line !== '' && !line.startsWith('//') && !line.startsWith('#line')) {
      code++;
    }
  }
  return { files: 1, code, all: lines.length };
}

const IMPORT = /^\s*(?:import|(?:import|export)\b[^'"]*?\bfrom)\s+['"]([^'"]+)['"]/gm;

/**
 * The modules that a guest consists of: `entry` and all that it imports, bare names by `modules`
 * (name → path; a name that is not there, such as "model", is no file). Absolute paths.
 */
export function followImports(entry: string, modules: Record<string, string>): string[] {
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
      const file = specifier.startsWith('.')
        ? resolve(dirname(path), specifier)
        : resolveBare(modules, specifier);
      if (file !== undefined) visit(file);
    }
  };
  visit(resolve(entry));
  return [...seen];
}
