/**
 * How many lines musl consists of for static programs: the files that its Makefile would compile
 * for libc.a and crt*.o, and its headers. Of those, a program holds what its linker picks.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countFile, type KernelCount } from './kernel.ts';

/** musl's default allocator; its Makefile leaves the other one out. */
const OTHER_MALLOC = 'src/malloc/oldmalloc/';

/**
 * folder: musl's unpacked source; architecture: as musl names it. Throws if the folder is something
 * else.
 */
export function countMuslLines(folder: string, architecture: string): KernelCount {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const isOther = otherArchitectures(names, architecture);
  const isOwn = (name: string) => /^(src|crt)\//.test(name) && name.includes(`/${architecture}/`);
  const files = names.filter((name) => belongs(name, isOther));
  if (files.length < 100) throw new Error(`${folder}: expected the source of musl`);
  // src/string/x86_64/memcpy.s takes the place of src/string/memcpy.c.
  const replaced = new Set(
    files.filter(isOwn).map((name) => withoutEnding(name.replace(`/${architecture}/`, '/'))),
  );
  return files
    .filter((name) => isOwn(name) || name.endsWith('.h') || !replaced.has(withoutEnding(name)))
    .map((name) => countFile(readFileSync(join(folder, name), 'latin1'), /\.[sS]$/.test(name)))
    .reduce((a, b) => ({ files: a.files + b.files, code: a.code + b.code, raw: a.raw + b.raw }));
}

/** The folders of arch/ but `generic` are CPUs. */
function otherArchitectures(names: readonly string[], own: string): (folder: string) => boolean {
  const all = names.flatMap((name) => /^arch\/([^/]+)$/.exec(name)?.[1] ?? []);
  const others = all.filter((name) => name !== 'generic' && name !== own);
  return (folder) => others.includes(folder);
}

function belongs(name: string, isOther: (folder: string) => boolean): boolean {
  if (!/^(src|crt|include|arch)\/.*\.[chsS]$/.test(name)) return false;
  if (name.startsWith(OTHER_MALLOC)) return false;
  return name
    .split('/')
    .slice(0, -1)
    .every((folder) => !isOther(folder));
}

function withoutEnding(name: string): string {
  return name.replace(/\.\w$/, '');
}
