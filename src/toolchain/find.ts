import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Tool, type ToolName, toolNamed } from './tools.ts';

/** What is on this machine in place of a table entry. */
export interface Found {
  tool: Tool;
  /** Command and leading arguments, or the path of what is a file; null: nothing usable. */
  command: readonly string[] | null;
  version: string | null;
  /** Why it is unusable, or works but is older than wanted. */
  note: string | null;
}

const found = new Map<ToolName, Found>();

/** Looks a tool up once per process. A negative answer is not kept: set-up may install it. */
export function findTool(name: ToolName): Found {
  const known = found.get(name);
  if (known) return known;
  const answer = probe(toolNamed(name));
  if (answer.command) found.set(name, answer);
  return answer;
}

/** The command line of a tool that must be there; of what is a file, its path. */
export function requireTool(name: ToolName): readonly string[] {
  const answer = findTool(name);
  if (answer.command) return answer.command;
  throw new Error(
    `${name} is missing${answer.note ? ` (${answer.note})` : ''}. It is needed by ${answer.tool.neededBy}. ` +
      `Install it: ${installCommand([answer.tool])}`,
  );
}

/** The one command that installs these tools on Debian, or advice where apt cannot help. */
export function installCommand(tools: readonly Tool[]): string {
  const packages = debianPackages(tools);
  const advice = tools.filter((tool) => !tool.debianPackage).map((tool) => tool.otherwise);
  const apt = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  return [...(packages.length > 0 ? [apt] : []), ...advice].join('; ');
}

export function debianPackages(tools: readonly Tool[]): string[] {
  return [...new Set(tools.flatMap((tool) => tool.debianPackage ?? []))];
}

function probe(tool: Tool): Found {
  if (tool.file) {
    const command = existsSync(tool.file) ? [tool.file] : null;
    return { tool, command, version: null, note: null };
  }
  let refused: Found | null = null;
  let older: Found | null = null;
  for (const command of tool.commands) {
    const text = versionText(command);
    if (text === null) continue;
    const match = tool.version.exec(text);
    if (!match) {
      refused ??= {
        tool,
        command: null,
        version: null,
        note: `${command.join(' ')} has no version`,
      };
      continue;
    }
    if (tool.library && !hasLibrary(command, tool.library)) continue;
    const version = `${match[1]}.${match[2]}${match[3] ?? ''}`;
    const numbers: [number, number] = [Number(match[1]), Number(match[2])];
    if (isOlder(numbers, tool.minimum)) {
      const note = `${command.join(' ')} is ${version}; ${tool.minimum.join('.')} or newer is needed`;
      refused ??= { tool, command: null, version, note };
    } else if (tool.preferred && isOlder(numbers, tool.preferred)) {
      const note = `${command.join(' ')} is ${version}: it works, but ${tool.preferred[0]} makes faster code`;
      older ??= { tool, command, version, note };
    } else {
      return { tool, command, version, note: null };
    }
  }
  return older ?? refused ?? { tool, command: null, version: null, note: null };
}

function isOlder(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

/** First line of `command --version`, or null if it cannot be run (not found, module missing). */
function versionText(command: readonly string[]): string | null {
  const run = spawnSync(command[0], [...command.slice(1), '--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return run.status === 0 ? run.stdout.split('\n', 1)[0] : null;
}

/** clang answers with a full path if it finds the file, else with the bare name. */
function hasLibrary(command: readonly string[], library: string): boolean {
  const arguments_ = [...command.slice(1), `-print-file-name=${library}`];
  const run = spawnSync(command[0], arguments_, { encoding: 'utf8' });
  return run.status === 0 && run.stdout.startsWith('/');
}
