import type { Command } from 'commander';
import { cacheFolder } from '../toolchain/cache.ts';
import { type Found, findTool, installCommand } from '../toolchain/find.ts';
import { TOOLS } from '../toolchain/tools.ts';
import { EXIT_FAILURE } from './terminal.ts';

export function configure(command: Command): void {
  command.option('--json', 'print JSON').action(doctor);
}

function doctor(options: { json?: boolean }): void {
  const found = TOOLS.map((tool) => findTool(tool.name));
  process.stdout.write(options.json ? asJson(found) : asText(found));
  if (found.some(({ tool, command }) => tool.required && !command)) process.exitCode = EXIT_FAILURE;
}

function asJson(found: readonly Found[]): string {
  const tools = found.map(({ tool, command, version, note }) => ({
    name: tool.name,
    found: command !== null,
    version,
    command,
    note,
    neededBy: tool.neededBy,
    required: tool.required,
    package: tool.debianPackage,
    install: installCommand([tool]),
  }));
  return `${JSON.stringify({ tools, cache: cacheFolder() }, null, 2)}\n`;
}

function asText(found: readonly Found[]): string {
  const lines = found.map(({ tool, command, version, note }) => {
    const state = command ? '✓' : tool.required ? '✗' : '–';
    const what = command ? (version ?? 'here') : 'missing';
    const install = tool.debianPackage ? `apt: ${tool.debianPackage}` : (tool.otherwise ?? '');
    const columns = [
      tool.name.padEnd(13),
      String(what).padEnd(9),
      tool.neededBy.padEnd(58),
      install,
    ];
    const row = `${state} ${columns.join(' ')}`;
    return note ? `${row}\n    ${note}` : row;
  });
  const missing = found.filter(({ command }) => !command).map(({ tool }) => tool);
  const advice =
    missing.length === 0
      ? 'Nothing is missing.'
      : `Missing: ${missing.map((tool) => tool.name).join(', ')}. As root, on Debian 12:\n  ${installCommand(missing)}`;
  return [...lines, `Cache: ${cacheFolder()}`, advice, ''].join('\n');
}
