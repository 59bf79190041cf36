/** What may lie in the tree, and how long it may be. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { committedFiles, root } from './committed.ts';

const files = committedFiles();
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('no hand-written C or assembly', () => {
  const native = files.filter((file) => /\.(c|h|s|asm|cc|cpp|inc)$/i.test(file));
  // The compiler's cases hold the C that it must produce.
  expect(native.filter((file) => !/^tests\/.*(cases|expected)\//.test(file))).toEqual([]);
});

test('a file of over 600 lines says at its top why it is so long', () => {
  const long = files
    .filter((file) => /^(src|guest|bench|tests)\/.*\.ts$/.test(file))
    .filter((file) => read(file).split('\n').length > 600);
  const silent = long.filter((file) => !/\blong\b|\blines\b/i.test(read(file).slice(0, 1200)));
  expect(silent).toEqual([]);
});

test('links in the documentation lead somewhere', () => {
  const broken: string[] = [];
  for (const file of files.filter((file) => file.endsWith('.md'))) {
    const text = read(file).replace(/```[\s\S]*?```/g, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#', 2);
      const goal = path === '' ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(root, goal))) broken.push(`${file}: ${target}`);
      else if (anchor && goal.endsWith('.md') && !anchorsOf(read(goal)).includes(anchor)) {
        broken.push(`${file}: ${target}: no such heading`);
      }
    }
  }
  expect(broken).toEqual([]);
});

/** Headings as the hosting sites name them: lower case, no punctuation, hyphens for spaces. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

test('what people start is executable', () => {
  for (const file of ['mu', '.ci/run']) {
    expect(statSync(join(root, file)).mode & 0o111, file).not.toBe(0);
  }
});

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toContain('"resolved"');
});

test('every test and benchmark that docs/promises.md names exists', () => {
  const named = [...read('docs/promises.md').matchAll(/`((?:tests|bench)\/[^`]+)`/g)].map(
    ([, file]) => file,
  );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
