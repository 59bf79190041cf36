#!/usr/bin/env node
// Launcher: checks Node, installs the npm packages when they are missing or older than the lock
// file, then runs src/cli/main.ts. Plain JavaScript, since nothing is installed before it has run.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(realpathSync(fileURLToPath(import.meta.url)));

function fail(message) {
  process.stderr.write(`mu: ${message}\n`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: 20.19 or newer is needed (https://nodejs.org)`);
}

// npm writes this file last. Without a lock file mu is itself an installed package: nothing to do.
const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
const modified = (file) => statSync(file).mtimeMs;
if (existsSync(lock) && (!existsSync(installed) || modified(installed) < modified(lock))) {
  process.stderr.write('mu: installing npm packages (npm ci)\n');
  const npm = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) fail(`npm did not start: ${npm.error.message}. Install npm, then run mu again.`);
  if (npm.status !== 0) fail(`npm ci failed in ${root} (exit code ${npm.status})`);
}

const { register } = await import('tsx/esm/api');
register();
await import(new URL('./src/cli/main.ts', import.meta.url).href);
