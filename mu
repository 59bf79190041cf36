#!/usr/bin/env node
// Launcher: checks Node, installs the npm packages when they are missing or older than the lock
// file, then runs src/cli/main.ts. Plain JavaScript, since nothing is installed before it has run.
//
// To transpile src at each start would take ten times as long as all else, so esbuild does it once,
// for each state of the sources: into the cache folder, under a hash of the path, size, inode and
// times of every source. The time of change (ctime) is the kernel's own, nobody sets it back: an
// edited file is another state. A bundle carries a sum of its files, so a damaged one is made anew.
// Where nothing can be kept, the bundle is made in memory, each time.
import { spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

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

/** A hash of all that a bundle is made from, and when the newest part was changed. */
function sourceState() {
  const names = readdirSync(join(root, 'src'), { recursive: true }).map((name) => `src/${name}`);
  let newest = 0;
  const sources = ['mu', 'package.json', ...names.sort()].map((name) => {
    const { size, ino, mtimeNs, ctimeNs, ctimeMs } = statSync(join(root, name), { bigint: true });
    newest = Math.max(newest, Number(ctimeMs));
    return `${name} ${size} ${ino} ${mtimeNs} ${ctimeNs}`;
  });
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const packages = Object.keys(dependencies).map((name) => import.meta.resolve(name));
  return { key: hashOf([root, ...sources, ...packages]), newest };
}

function hashOf(texts) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}

/** As mkdir's `recursive` does, which never ends below /proc (Node 20). */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another process was faster
  }
}

/** Over all files of a bundle but the one that holds this sum. */
function sumOf(folder) {
  const names = readdirSync(folder).filter((name) => name !== 'sum');
  return hashOf(names.sort().flatMap((name) => [name, readFileSync(join(folder, name))]));
}

function isWhole(folder) {
  try {
    const isRight = readFileSync(join(folder, 'sum'), 'utf8') === sumOf(folder);
    return isRight && existsSync(join(folder, 'main.js')); // even an empty folder has a sum
  } catch {
    return false;
  }
}

/** Who edits a file twice within a tick of the file system (at most 2 s) leaves its times alone. */
const TICK = 2000;
const DAY = 86_400_000;

/** Path of main.ts as a bundle in the cache; null where it cannot be kept. */
async function keptBundle() {
  const { MU_CACHE, XDG_CACHE_HOME } = process.env; // as src/toolchain/cache.ts has it
  const cache = resolve(MU_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'muinference'));
  if (cache.includes('\\')) return null; // Node imports no module from such a path
  const { key, newest } = sourceState();
  const parent = join(cache, 'start');
  const folder = join(parent, key.slice(0, 32));
  const main = join(folder, 'main.js');
  if (isWhole(folder)) return main;
  if (Date.now() - newest < TICK) return null;
  const temporary = `${folder}.${process.pid}.${randomUUID()}`;
  try {
    makeFolder(temporary);
  } catch {
    return null;
  }
  try {
    await bundle({ outdir: temporary, splitting: true });
    writeFileSync(join(temporary, 'package.json'), '{"type":"module"}\n');
    writeFileSync(join(temporary, 'sum'), sumOf(temporary));
    if (existsSync(folder) && !isWhole(folder)) rmSync(folder, { recursive: true });
    renameSync(temporary, folder);
    // Of other states; not today's, whose processes may still import a part of theirs.
    for (const old of readdirSync(parent).map((name) => join(parent, name))) {
      if (Date.now() - statSync(old).mtimeMs > DAY) rmSync(old, { recursive: true, force: true });
    }
  } catch {
    rmSync(temporary, { recursive: true, force: true });
  }
  return isWhole(folder) ? main : null; // of another process that was faster, too
}

/** Modules that are imported together become one file; packages stay where they are. */
async function bundle(options) {
  const { build } = await import('esbuild');
  const places = {
    name: 'packages and modules know where they are',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^[^./]/ }, ({ path }) => ({
        path: path.startsWith('node:') ? path : import.meta.resolve(path),
        external: true,
      }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const url = JSON.stringify(pathToFileURL(path).href);
        const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
        return { contents, loader: 'ts' };
      });
    },
  };
  return build({
    entryPoints: [{ in: join(root, 'src/cli/main.ts'), out: 'main' }],
    absWorkingDir: root, // esbuild writes the names of our modules, from here, into the bundle
    bundle: true,
    format: 'esm',
    platform: 'node',
    plugins: [places],
    tsconfigRaw: {},
    logLevel: 'error',
    ...options,
  });
}

const kept = await keptBundle();
if (kept) {
  await import(pathToFileURL(kept).href);
} else {
  const { outputFiles } = await bundle({ write: false });
  const text = Buffer.from(outputFiles[0].contents).toString('base64');
  await import(`data:text/javascript;base64,${text}`);
}
