/** Prose and comments: at most 100 columns, and what the documentation says to type works. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { committedFiles, root } from './committed.ts';

const COLUMNS = 100;
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const columns = (line: string) => [...line].length;
const texts = committedFiles().filter((file) => !/(^|\/)(cases|expected|vectors)\//.test(file));

/** Lines of Markdown that can be wrapped: no tables, code blocks, headings or lone links. */
function proseLines(text: string): [number: number, line: string][] {
  let isCode = false;
  return text.split('\n').flatMap((line, i): [number, string][] => {
    if (line.startsWith('```')) isCode = !isCode;
    const isFixed = isCode || /^(\||#|```| {4})/.test(line) || !/\S\s+\S/.test(line);
    return isFixed ? [] : [[i + 1, line]];
  });
}

/** Lines of TypeScript that end a comment or lie in one. An address cannot be wrapped. */
function commentLines(text: string): [number: number, line: string][] {
  let isComment = false;
  return text.split('\n').flatMap((line, i): [number, string][] => {
    const begins = /^\s*\/\*/.test(line);
    const isOne = isComment || begins || /^\s*\/\/|[;{},)(\]] \/\/ /.test(line);
    if (begins) isComment = true;
    if (line.includes('*/')) isComment = false;
    return isOne && !/https?:\/\//.test(line) ? [[i + 1, line]] : [];
  });
}

function tooLong(pattern: RegExp, linesOf: typeof proseLines): string[] {
  return texts
    .filter((file) => pattern.test(file))
    .flatMap((file) =>
      linesOf(read(file))
        .filter(([, line]) => columns(line) > COLUMNS)
        .map(([number, line]) => `${file}:${number}: ${columns(line)} columns`),
    );
}

test('prose is at most 100 columns wide', () => {
  expect(tooLong(/\.md$/, proseLines)).toEqual([]);
});

test('comments are at most 100 columns wide', () => {
  expect(tooLong(/\.ts$/, commentLines)).toEqual([]);
});

test('a line that is too long would be found', () => {
  const long = 'word '.repeat(25).trim();
  expect(proseLines(`# Title\n\n${long}\n\`\`\`\n${long}\n\`\`\`\n`)).toEqual([[3, long]]);
  expect(
    commentLines(`const a = 1; // ${long}\n/** ${long} */\nconst b = '${long}';\n`),
  ).toHaveLength(2);
});

/** Commands in docs/architecture.md, the tour: indented by four spaces. */
const tour = [...read('docs/architecture.md').matchAll(/^ {4}mu (.+)$/gm)].map(([, rest]) => rest);

test('the tour has commands', () => expect(tour.length).toBeGreaterThan(0));

test.each(tour)('mu %s', (rest) => {
  const run = spawnSync(join(root, 'mu'), rest.split(' '), { cwd: root, encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  expect(run.stdout).not.toBe('');
});

test('every path that the documentation names exists', () => {
  const named = texts
    .filter((file) => /^(docs\/.*|README|CONTRIBUTING)(\.md)?$/.test(file))
    .flatMap((file) =>
      [...read(file).matchAll(/`((?:src|guest|tests|bench|docs)\/[\w./-]+)`/g)].map(([, path]) => ({
        file,
        path,
      })),
    );
  const files = committedFiles();
  const exists = (path: string) =>
    files.some((file) => file === path || file.startsWith(path.replace(/\/?$/, '/')));
  const isPattern = (path: string) => path.includes('NAME');
  expect(named.filter(({ path }) => !isPattern(path) && !exists(path))).toEqual([]);
});
