/**
 * How many lines a kernel consists of: those of every file that the compiler opened, from the
 * dependency files (.*.cmd) that the kernel's build leaves beside its objects. Programs that only
 * ran on the host are left out, generated files are not.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export interface KernelCount {
  files: number;
  /** Lines that hold code: no comments, no blank lines. */
  code: number;
  /** All lines. */
  raw: number;
}

export interface KernelLines {
  total: KernelCount;
  /** By ending: `.c`, `.S`, `.h`. */
  byEnding: Record<string, KernelCount>;
  /**
   * By top-level folder; headers under `include/` and `arch/` apart; `generated`: made by this
   * build.
   */
  byFolder: Record<string, KernelCount>;
}

/** tree: make's O= folder, absolute. */
export function countKernelLines(tree: string): KernelLines {
  const { source, files } = filesRead(tree);
  return countFiles(files, source);
}

/** files: absolute paths; those outside of the folder `source` count as generated. */
export function countFiles(files: readonly string[], source: string): KernelLines {
  const lines: KernelLines = {
    total: { files: 0, code: 0, raw: 0 },
    byEnding: {},
    byFolder: {},
  };
  for (const file of files) {
    const ending = /\.[cSh]$/.exec(file)?.[0];
    if (!ending) continue;
    const count = countFile(readFileSync(file, 'latin1'), ending === '.S');
    const inSource = relative(source, file);
    const folder = inSource.startsWith('..') ? 'generated' : inSource.split('/')[0];
    lines.total = sum(lines.total, count);
    lines.byEnding[ending] = sum(lines.byEnding[ending], count);
    lines.byFolder[folder] = sum(lines.byFolder[folder], count);
  }
  return lines;
}

function sum(a: KernelCount | undefined, b: KernelCount): KernelCount {
  if (!a) return b;
  return { files: a.files + b.files, code: a.code + b.code, raw: a.raw + b.raw };
}

/** Absolute paths of all files that the compiler opened for the target. */
export function filesRead(tree: string): { source: string; files: string[] } {
  const source = readlinkSync(join(tree, 'source'));
  const files = new Set<string>();
  for (const name of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
    if (!/(?:^|\/)\.[^/]*\.cmd$/.test(name) || name.startsWith('scripts/')) continue;
    const text = readFileSync(join(tree, name), 'utf8');
    if (!text.includes(' -D__KERNEL__ ')) continue; // a host's program, a link, a copy
    for (const path of dependencies(text)) files.add(resolve(tree, path));
  }
  return { source, files: [...files].sort() };
}

/** `source_X := path`, then `deps_X := \` and a path per line; $(wildcard …) stands for options. */
function dependencies(text: string): string[] {
  const source = /^source_\S+ := (\S+)$/m.exec(text);
  const list = /^deps_\S+ := \\\n((?: .*\n)*)/m.exec(text);
  if (!source || !list) return [];
  const paths = list[1].split('\n').map((line) => line.replace(/\\$/, '').trim());
  return [source[1], ...paths.filter((path) => path !== '' && !path.startsWith('$('))];
}

/** C's comments; assembly has `#` besides, where the preprocessor takes no directive from it. */
const COMMENT_OR_TEXT =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])+'/g;
const DIRECTIVE = /^\s*#\s*(?:include|define|undef|if|ifdef|ifndef|elif|else|endif|error|pragma)\b/;

/** Counts one file of C or assembly, given as text. */
export function countFile(text: string, isAssembly: boolean): KernelCount {
  const bare = text.replace(COMMENT_OR_TEXT, (found) =>
    found.startsWith('/') ? found.replace(/[^\n]+/g, ' ') : found,
  );
  const isCode = (line: string) =>
    line.trim() !== '' && !(isAssembly && /^\s*#/.test(line) && !DIRECTIVE.test(line));
  const raw = text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0);
  return { files: 1, code: bare.split('\n').filter(isCode).length, raw };
}
