import { spawnSync } from 'node:child_process';
import { debianPackages, findTool, installCommand } from './find.ts';
import type { ToolName } from './tools.ts';

export type Say = (line: string) => void;

/**
 * Makes sure that the named tools are there: silent if they are, through apt as root on Debian,
 * else an error with the command that installs them.
 */
export function ensureTools(names: readonly ToolName[], say: Say): void {
  const missing = missingTools(names);
  if (missing.length > 0) {
    const tools = missing.map((name) => findTool(name).tool);
    const packages = debianPackages(tools);
    const list = missing.map((name) => describeMissing(name)).join(', ');
    if (packages.length === 0 || !canInstall()) {
      throw new Error(`missing: ${list}. As root, on Debian 12: ${installCommand(tools)}`);
    }
    say(`missing: ${list}; installing ${packages.join(' ')} with apt`);
    installWithApt(packages, say);
    const still = missingTools(names);
    if (still.length > 0) {
      const notes = still.map((name) => describeMissing(name)).join(', ');
      throw new Error(`still missing after apt-get install ${packages.join(' ')}: ${notes}`);
    }
  }
  for (const name of names) {
    const note = findTool(name).note;
    if (note) say(`note: ${note}`);
  }
}

function missingTools(names: readonly ToolName[]): ToolName[] {
  return names.filter((name) => findTool(name).command === null);
}

function describeMissing(name: ToolName): string {
  const note = findTool(name).note;
  return note ? `${name} (${note})` : name;
}

function canInstall(): boolean {
  const isRoot = process.getuid?.() === 0;
  return isRoot && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
}

function installWithApt(packages: readonly string[], say: Say): void {
  // update may fail for one unreachable source while the others have all we need: install decides.
  if (!apt(['update', '-qq'])) say('apt-get update reported errors; trying with the lists it has');
  if (!apt(['install', '-y', '-qq', '--no-install-recommends', ...packages])) {
    throw new Error(`apt-get install ${packages.join(' ')} failed; its messages are above`);
  }
}

/** Runs apt-get, everything it says on our stderr: stdout belongs to the command's own answer. */
function apt(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', DEBCONF_NOWARNINGS: 'yes' };
  // dpkg's progress lines say nothing to a reader; its errors come on stderr.
  const run = spawnSync('apt-get', ['-o', 'Dpkg::Use-Pty=0', ...args], {
    env,
    stdio: ['ignore', 'ignore', 2],
  });
  return run.status === 0;
}
