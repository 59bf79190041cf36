/**
 * Names for what is under way: they say which process works there, so that what a killed one left
 * can be told from what a living one needs. `NAME.PID.BORN.WHERE.RANDOM.tmp`: BORN tells it from a
 * later process with the same id, WHERE one machine and container (whose ids mean nothing
 * elsewhere) from another.
 */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who may work there: this much later nobody does. Milliseconds. */
const LONGEST_BUILD = 24 * 3600 * 1000;

/** A name beside `path` that no other process has. */
export function temporaryName(path: string): string {
  const { pid } = process;
  return `${path}.${pid}.${bornAt(pid)}.${whereabouts()}.${randomBytes(4).toString('hex')}.tmp`;
}

const NAME = /\.(\d+)\.(\w+)\.(\w+)\.[0-9a-f]+\.tmp$/;

/**
 * The process on this machine and in this container that works at a temporary name; null: none, or
 * it is not to be told.
 */
export function livingOwner(path: string): number | null {
  const [, pid, born, where] = NAME.exec(path) ?? [];
  if (where !== whereabouts() || !isRunning(Number(pid))) return null;
  return [born, UNKNOWN].includes(bornAt(Number(pid))) ? Number(pid) : null;
}

/**
 * Whether a temporary name is nobody's any more. Of other machines and containers, time alone
 * tells.
 */
export function isAbandoned(path: string): boolean {
  if (!path.endsWith('.tmp')) return false;
  if (NAME.exec(path)?.[3] === whereabouts()) return livingOwner(path) === null;
  const status = statSync(path, { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs > LONGEST_BUILD;
}

/** Is there a process with this id? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // another user's
  }
}

const UNKNOWN = 'x';

/**
 * When a process began, in ticks since its machine did: field 22 of proc_pid_stat(5), of which
 * field 2 may hold anything.
 */
function bornAt(pid: number): string {
  const text = readOr('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? UNKNOWN;
}

let place: string | undefined;

function whereabouts(): string {
  const boot = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
  const processes = () => readlinkSync('/proc/self/ns/pid');
  place ??= createHash('sha256')
    .update(`${readOr(hostname(), boot)} ${readOr('', processes)}`)
    .digest('hex')
    .slice(0, 8);
  return place;
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
