import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';

export type Child = ChildProcessWithoutNullStreams;

const running = new Set<Child>();

/**
 * Starts a guest (a process or QEMU), three pipes attached, and makes sure that it never outlives
 * us. It gets a process group of its own: Ctrl-C at the terminal is for us, who may only want to
 * cancel an answer.
 */
export function startChild(command: string, args: readonly string[]): Child {
  watchOurEnd();
  const [program, ...leading] = [...dieWithParent(), command];
  const child = spawn(program, [...leading, ...args], { stdio: 'pipe', detached: true });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => running.delete(child));
  return child;
}

/**
 * Kills one child and all that it started, its own process group; nothing happens if it has ended.
 */
export function killChild(child: Child): void {
  if (!child.pid || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // it ended a moment ago, or has not made its group yet
  }
}

let parentDeath: readonly string[] | null = null;

/**
 * util-linux's setpriv has the kernel kill the child when we are gone, even by SIGKILL, where no
 * handler of ours runs. It replaces itself by the command, so the process id stays the same.
 */
function dieWithParent(): readonly string[] {
  if (!parentDeath) {
    const probe = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' });
    parentDeath = probe.status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  }
  return parentDeath;
}

let watching = false;

function watchOurEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const child of running) killChild(child);
  });
  // Each of these would end us without an 'exit' event. Who handles Ctrl-C himself decides himself.
  process.on('SIGINT', () => {
    if (process.listenerCount('SIGINT') === 1) process.exit(130);
  });
  process.on('SIGTERM', () => process.exit(143));
  process.on('SIGHUP', () => process.exit(129));
}
