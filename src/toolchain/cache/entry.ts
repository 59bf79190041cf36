/**
 * An entry of the cache is a folder with a list of its files, written last: what is not as the list
 * says was cut off by a power cut, taken by a cache cleaner, or is an older version's, and is made
 * anew.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isAbandoned } from './owner.ts';

const LIST = '.entry.json';

/** Files of the folder itself; what lies in its folders (a source tree) is not looked at. */
type List = Record<string, { bytes: number; sha256?: string }>;

/**
 * Larger files are known by their size alone, which is their last word once they are on the disk.
 */
const LOOKED_INTO = 2 ** 20;

/** Notes what is in a folder; from now on it is an entry. */
export function listFiles(folder: string): void {
  const list: List = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const { size } = statSync(path);
    if (size > LOOKED_INTO) writeOut(path);
    list[entry.name] = { bytes: size, sha256: size > LOOKED_INTO ? undefined : hashNow(path) };
  }
  writeFileSync(join(folder, LIST), `${JSON.stringify(list, null, 2)}\n`);
}

function writeOut(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** What keeps a folder from being used; null: nothing, it is whole. */
export function problemOf(folder: string): string | null {
  let list: List;
  try {
    list = JSON.parse(readFileSync(join(folder, LIST), 'utf8'));
  } catch {
    return existsSync(folder) ? 'it has no list of its files' : 'it is not there';
  }
  for (const [name, { bytes, sha256 }] of Object.entries(list)) {
    const path = join(folder, name);
    const size = sizeOf(path);
    if (size === undefined) return `${name} is missing`;
    if (size !== bytes) return `${name} has ${size} bytes, written were ${bytes}`;
    if (sha256 !== undefined && hashNow(path) !== sha256) return `${name} is not what was written`;
  }
  return null;
}

/** undefined: it is not there, or not ours to look at. */
function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch {
    return undefined;
  }
}

function hashNow(path: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return undefined;
  }
}

const MINUTE = 60_000;

/** The time of an entry's list is when it was last used. */
export function markUsed(folder: string): void {
  if (Date.now() - lastUsed(folder) < MINUTE) return;
  try {
    utimesSync(join(folder, LIST), new Date(), new Date());
  } catch {
    // another user's, or a disk that is only read
  }
}

function lastUsed(folder: string): number {
  const status =
    statSync(join(folder, LIST), { throwIfNoEntry: false }) ??
    statSync(folder, { throwIfNoEntry: false });
  return status?.mtimeMs ?? 0;
}

/** Checkouts that share a cache keep theirs beside each other's. */
const KEPT = 3;

/**
 * Of large things of one kind, those that were used last are kept, and whatever was used within the
 * hour. folder: one of them, which stays.
 */
export function removeUnused(folder: string): void {
  const parent = dirname(folder);
  const others = readdirSync(parent)
    .map((name) => join(parent, name))
    .filter((path) => path !== folder && !path.endsWith('.tmp'))
    .sort((a, b) => lastUsed(b) - lastUsed(a))
    .slice(KEPT - 1);
  for (const path of others) if (Date.now() - lastUsed(path) > 60 * MINUTE) removeIfOurs(path);
}

/** What killed processes left beside an entry. */
export function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (isAbandoned(path)) removeIfOurs(path);
  }
}

/** Another user's stays. */
export function removeIfOurs(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // It costs room, nothing else.
  }
}
