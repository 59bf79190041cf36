/**
 * What a start imports, which is what its time comes from, and that an edited source is never run
 * as it was. docs/promises.md has the times.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { cacheFolder, PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { hasStories260K, NO_STORIES, stories260K } from '../engine/sharedModels.ts';
import { mu } from './mu.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Has Node write the URL of each module that it loads into $MU_LOADED, one a line. */
const RECORDER = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(process.env.MU_LOADED, url + '\\n');
    return next(url, context);
  }`;
const asUrl = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(RECORDER))});`;

/**
 * What a command imports: our modules by their paths from the root, and packages by their names.
 */
async function imported(args: readonly string[]) {
  const list = join(folder, 'loaded');
  writeFileSync(list, '');
  const env = { NODE_OPTIONS: `--import ${asUrl(REGISTER)}`, MU_LOADED: list };
  expect(await mu(args, '', env)).toMatchObject({ code: 0 });
  const files = readFileSync(list, 'utf8')
    .trim()
    .split('\n')
    .map((url) => fileURLToPath(url));
  const ours = files
    .filter((file) => file.startsWith(join(cacheFolder(), 'start')))
    // esbuild writes where each part comes from.
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^\/\/ (src\/\S+\.ts)$/gm)])
    .map(([, name]) => name);
  const packages = files
    .map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  return { ours: [...new Set(ours)].sort(), packages: [...new Set(packages)] };
}

const OF_EVERY_START = [
  ...['commands', 'main', 'outputs', 'terminal'].map((name) => `src/cli/${name}.ts`),
  'src/model/printable.ts',
  'src/toolchain/cache/folders.ts',
];

test('help and version import no command', async () => {
  await mu(['--version']); // makes the bundle
  for (const args of [['--version'], ['--help'], ['help']]) {
    const { ours, packages } = await imported(args);
    expect(ours).toEqual(OF_EVERY_START);
    expect(packages).toEqual(['commander']);
  }
});

const CACHED = `an answer from the cache needs no compiler and no model reader ${hasStories260K ? '' : NO_STORIES}`;

test.skipIf(!hasStories260K)(CACHED, async () => {
  const { model, tokenizer } = stories260K;
  const args = ['run', model, '--tokenizer', tokenizer, '-p', 'Once', '-n', '1'];
  expect(await mu(args)).toMatchObject({ code: 0 });
  const { ours, packages } = await imported(args);
  expect(packages).toEqual(['commander']);
  expect(ours).toContain('src/cli/run.ts');
  const other = COMMANDS.filter(({ name }) => name !== 'run').map(({ name }) => `${name}.ts`);
  const late = ours.filter(
    (name) =>
      /^src\/(compiler\/(check|emit)|image|measure|model\/(gguf|tokenizer))\//.test(name) ||
      other.includes(name.replace('src/cli/', '')),
  );
  expect(late).toEqual([]);
  expect(ours.length).toBeLessThan(50);
});

test('the table says of each command what its module declares', async () => {
  for (const { name, usage, load } of COMMANDS) {
    const command = new Command(name);
    (await load()).configure(command);
    expect(command.usage(), name).toBe(usage);
  }
});

/** A checkout of our own. */
function createCheckout(): string {
  const root = mkdtempSync(join(folder, 'checkout-'));
  for (const name of ['mu', 'package.json', 'src']) {
    cpSync(join(PROJECT_ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(root, 'node_modules'));
  return root;
}

const PAST_TICK = 2100; // mu

test('an edited source is never run as it was', async () => {
  const root = createCheckout();
  const env = { MU_CACHE: join(folder, 'edited') };
  const source = join(root, 'src/cli/commands.ts');
  const text = readFileSync(source, 'utf8');
  const edit = (word: string) => {
    writeFileSync(source, text.replace('natively', word)); // all words are of one length
    utimesSync(source, 1, 1);
  };
  const shown = async () => {
    const { stdout, stderr } = await mu(['--help'], '', env, root);
    expect(stderr).toBe('');
    return /talk to a model, (\w+)/.exec(stdout)?.[1];
  };
  await sleep(PAST_TICK);
  expect(await shown()).toBe('natively');
  for (const word of ['promptly', 'secretly', 'casually']) {
    edit(word);
    expect(await shown(), 'at once').toBe(word);
  }
  await sleep(PAST_TICK);
  expect(await shown()).toBe('casually');
  expect(readdirSync(join(env.MU_CACHE, 'start')).length).toBe(2);
});

test('a bundle that is damaged is made anew; where none can be kept, mu runs all the same', async () => {
  const root = createCheckout();
  await sleep(PAST_TICK);
  const run = (cache: string) => mu(['--version'], '', { MU_CACHE: cache }, root);
  const good = { code: 0, stderr: '', stdout: (await run(join(folder, 'kept'))).stdout };
  const [name] = readdirSync(join(folder, 'kept/start'));
  const main = join(folder, 'kept/start', name, 'main.js');
  truncateSync(main, 100);
  expect(await run(join(folder, 'kept'))).toEqual(good);
  expect(readFileSync(main, 'utf8').length).toBeGreaterThan(100);
  const bundle = join(folder, 'kept/start', name);
  for (const file of readdirSync(bundle)) rmSync(join(bundle, file));
  writeFileSync(join(bundle, 'sum'), createHash('sha256').digest('hex')); // of no files
  expect(await run(join(folder, 'kept'))).toEqual(good);
  expect(readdirSync(bundle)).toContain('main.js');
  for (const none of [join(root, 'mu/below-a-file'), '/proc/none', `/${'long'.repeat(100)}`]) {
    expect(await run(none), none).toEqual(good);
  }
});

test('a cache that is named from here is here', async () => {
  const root = createCheckout();
  await sleep(PAST_TICK);
  const from = process.cwd();
  process.chdir(folder);
  try {
    const { code, stderr } = await mu(['--version'], '', { MU_CACHE: 'named' }, root);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  } finally {
    process.chdir(from);
  }
  expect(readdirSync(join(folder, 'named/start'))).toHaveLength(1);
  expect(readdirSync(root).sort()).toEqual(['mu', 'node_modules', 'package.json', 'src']);
});
