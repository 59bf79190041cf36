/**
 * Where models, packs and compiled guests are kept: in one folder that others may share, and where
 * that cannot be written (another user's, a read-only home), in a private one.
 */
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** What to do where nothing can be written. */
export const CACHE_ADVICE = 'set MU_CACHE to a folder that can be written';

/**
 * Where a thing is kept that programs get to see whose words end at a space: make, and the shells
 * that it starts.
 */
export interface Placing {
  /** Only folders whose path has letters, digits and _ . + - @ / alone. */
  hasPlainPath?: boolean;
}

let tell: (line: string) => void = () => {};
const told = new Set<string>();

/**
 * Who hears, each thing once, that another folder than the usual one is used, or that something in
 * it was damaged.
 */
export function onCacheNotice(listener: (line: string) => void): void {
  tell = listener;
}

export function noticeOnce(line: string): void {
  if (!told.has(line)) tell(line);
  told.add(line);
}

/** A folder that things are looked for in. */
interface Root {
  /** Absolute. */
  path: string;
  /** In a folder where everybody may write. */
  isPrivate: boolean;
}

/** In this order: $MU_CACHE, the XDG cache folder, private ones. */
function cacheRoots(): Root[] {
  const { MU_CACHE, XDG_CACHE_HOME } = process.env;
  const home = homeOrNothing();
  const xdg = XDG_CACHE_HOME || (home && join(home, '.cache'));
  const usual = [MU_CACHE, xdg && join(xdg, 'muinference')].flatMap((path) => path || []);
  const own = `muinference-${process.geteuid?.() ?? 'user'}`;
  const temporary = [...new Set(['/var/tmp', tmpdir()])].map((folder) => join(folder, own));
  return [
    ...usual.map((path) => ({ path: resolve(path), isPrivate: false })),
    ...temporary.map((path) => ({ path: resolve(path), isPrivate: true })),
  ];
}

/** Where users are numbers only, nobody has a home. */
function homeOrNothing(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}

/** Where everybody may write, a name that can be guessed may be another user's trap. */
function isTrap(folder: string): boolean {
  const status = lstatSync(folder);
  return !status.isDirectory() || status.uid !== process.geteuid?.() || (status.mode & 0o022) !== 0;
}

/**
 * The folders of a kind of things that are there, in the order in which they are looked through: up
 * to the first that can be written.
 */
export function cacheFolders(kind: string): string[] {
  const there: string[] = [];
  for (const { path, isPrivate } of cacheRoots()) {
    if (isPrivate && existsSync(path) && isTrap(path)) continue;
    const folder = join(path, kind);
    if (existsSync(folder)) there.push(folder);
    if (canBeWritten(folder)) break;
  }
  return there;
}

/** Of a folder that is not there: whether it can be made. */
function canBeWritten(folder: string): boolean {
  if (!existsSync(folder)) return canBeWritten(dirname(folder));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/** The folder of a kind of things, where it can be written. It is made if it is not there. */
export function cacheFolder(kind = '', placing: Placing = {}): string {
  return inWritableFolder(kind, placing, (folder) => {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return folder;
  });
}

/**
 * Calls `find` and, where it finds nothing, `use` with the folder of a kind in each root in turn,
 * until `use` does not fail because the folder cannot be written. Throws where none can.
 */
export function inWritableFolder<T>(
  kind: string,
  placing: Placing,
  use: (folder: string) => T,
  find: (folder: string) => T | undefined = () => undefined,
): T {
  const problems: string[] = [];
  for (const { path, isPrivate } of cacheRoots()) {
    const folder = join(path, kind);
    try {
      makeFolder(path, isPrivate ? 0o700 : 0o777);
      if (isPrivate && isTrap(path)) {
        problems.push(`${path} is another user's`);
        continue;
      }
      makeFolder(folder, 0o777);
      const placed = placedIn(folder, placing);
      if (placed === undefined) {
        problems.push(`${folder}: make cannot build in a path with spaces or such signs`);
        continue;
      }
      const found = find(placed);
      if (found !== undefined) return found;
      const result = use(placed);
      if (problems.length > 0) noticeOnce(`${problems[0]}: using ${placed}`);
      return result;
    } catch (error) {
      if (!isNotWritable(error)) throw error;
      problems.push(`${folder} cannot be written (${error.code})`);
    }
  }
  throw new Error(`${problems.join(', ')}: ${CACHE_ADVICE}`);
}

/**
 * As mkdir's `recursive` does, which takes a disk that is only read for one that lacks a folder
 * (Node 20).
 */
function makeFolder(folder: string, mode: number): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder), mode);
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another process was faster
  }
}

/** What leads to a plain path by a link is plain: programs get to see what it leads to. */
function placedIn(folder: string, { hasPlainPath = false }: Placing): string | undefined {
  if (!hasPlainPath) return folder;
  const path = realpathSync(folder);
  return /^[\p{L}\p{N}_.+@/-]*$/u.test(path) ? path : undefined;
}

/**
 * Whether another folder could do better. Not so on a full disk: that is for a person to settle.
 */
function isNotWritable(error: unknown): error is NodeJS.ErrnoException {
  const { code = '' } = error as NodeJS.ErrnoException;
  const isDenied = ['EACCES', 'EPERM', 'EROFS'].includes(code);
  return isDenied || ['ENOTDIR', 'EEXIST', 'ENOENT', 'ENAMETOOLONG', 'ELOOP'].includes(code);
}
