/**
 * Who may import whom. Host: cli → measure → stacks → { pack → plan, image, console } → model →
 * pull → toolchain → lines → compiler; guest: apps → engine → kernels, and the machine only by its
 * bare name.
 */
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { imports } from './importList.ts';

/** Folder → the folders that it may import from, beside itself. Longest matching prefix counts. */
const DIRECTIONS: Record<string, readonly string[]> = {
  'src/cli': ['src', 'package.json'],
  'src/stacks': [
    'src/pack',
    'src/plan',
    'src/image',
    'src/console',
    'src/toolchain',
    'src/pull',
    'src/model',
    'src/compiler',
  ],
  'src/measure': [
    'src/stacks',
    'src/pack',
    'src/plan',
    'src/image',
    'src/console',
    'src/toolchain',
    'src/lines',
    'src/model',
    'src/compiler',
  ],
  'src/pack': ['src/plan', 'src/model', 'src/compiler'],
  // The forward pass as data: who lays out, measures or shows it works from there.
  'src/plan': ['src/model', 'src/compiler'],
  // A loader's release is pulled as a model is.
  'src/image': ['src/pull', 'src/toolchain'],
  // What was compiled is counted where the build's dependency files lie, before they go away.
  'src/toolchain': ['src/compiler', 'src/lines'],
  // What a bare name means, the compiler knows.
  'src/lines': ['src/compiler'],
  'src/console': [],
  // A known model is known by its content; the guest's tokenizer is compiled for the host
  // (hostTokenizer.ts).
  'src/model': ['src/pull', 'src/toolchain', 'src/compiler'],
  // What is fetched lies in the cache folder.
  'src/pull': ['src/toolchain'],
  'src/compiler': [],
  'guest/apps': ['guest/engine', 'guest/console', 'guest/kernels'],
  'guest/console': ['guest/engine'],
  'guest/engine': ['guest/kernels'],
  'guest/kernels': [],
  'guest/linux': ['guest/machine', 'guest/machine/process'],
  'guest/machine/process': ['guest/machine'],
  'guest/machine/pc': ['guest/machine', 'guest/device'],
  'guest/machine/uefi': ['guest/machine', 'guest/device'],
  'guest/machine': [],
  'guest/device': [],
  // Faults and missing features are told by line.ts and panic.ts.
  'guest/arch': ['guest/machine'],
};

/**
 * Guest folder → per-target modules that it may name; a name that ends with / stands for all of a
 * folder.
 */
const BARE: Record<string, readonly string[]> = {
  'guest/apps': ['machine', 'model'],
  'guest/console': ['machine', 'model'],
  'guest/engine': ['machine', 'model', 'variants'],
  'guest/kernels': ['machine', 'model', 'dots'],
  'guest/machine': ['machine', 'app', 'model', 'arch/'],
  'guest/linux': ['arch/'],
  'guest/device': ['arch/'],
  'guest/arch': ['variants'],
};

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The longest of the folders that the path lies in. */
function homeOf(path: string, folders: readonly string[]): string | undefined {
  return folders
    .filter((folder) => isWithin(path, folder))
    .sort((a, b) => b.length - a.length)
    .at(0);
}

test('imports go one way only', () => {
  const wrong: string[] = [];
  for (const { file, specifier } of imports) {
    if (!specifier.startsWith('.')) continue;
    const target = normalize(join(dirname(file), specifier));
    const home = homeOf(file, Object.keys(DIRECTIONS));
    if (home === undefined) wrong.push(`${file}: its folder has no place in DIRECTIONS`);
    else if (!isWithin(target, home) && !DIRECTIONS[home].some((to) => isWithin(target, to))) {
      wrong.push(
        `${file} imports ${target}: ${home} may import from ${DIRECTIONS[home].join(', ')}`,
      );
    }
  }
  expect(wrong).toEqual([]);
});

test('nothing in src imports the command line', () => {
  const wrong = imports.filter(
    ({ file, specifier }) =>
      !isWithin(file, 'src/cli') && normalize(join(dirname(file), specifier)).startsWith('src/cli'),
  );
  expect(wrong).toEqual([]);
});

test('a guest knows what differs from build to build by bare names, and nothing else by one', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    if (!isWithin(file, 'guest') || specifier.startsWith('.')) return false;
    const home = homeOf(file, Object.keys(BARE));
    const name = specifier.replace(/\/.*/, '/');
    return home === undefined || !BARE[home].includes(name);
  });
  expect(wrong).toEqual([]);
});
