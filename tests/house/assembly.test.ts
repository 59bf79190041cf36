/**
 * No assembly outside guest/arch: a port to another processor is a folder there, and nothing else.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { committedFiles, root } from './committed.ts';

const HOME = /^guest\/arch\/\w+\//;

/** Places of calls of asm() in guest code, whatever stands around them. */
function assemblyIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'asm') {
      found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const guests = committedFiles().filter((file) =>
  /^(guest\/|bench\/apps\/|tests\/.*\/apps\/).*(?<!\.d)\.ts$/.test(file),
);

test('guest code has assembly in guest/arch only', () => {
  const outside = guests.filter((file) => !HOME.test(file));
  expect(outside.flatMap((file) => assemblyIn(file, read(file)))).toEqual([]);
  const inside = guests.filter((file) => HOME.test(file));
  expect(inside.flatMap((file) => assemblyIn(file, read(file))).length).toBeGreaterThan(20);
});

test('assembly is found wherever it hides', () => {
  const hidden = ["asm('hlt');", '/* asm() */ function f(): void { if (true) asm(`', 'hlt`); }'];
  expect(assemblyIn('x.ts', hidden.join('\n'))).toEqual(['x.ts:1', 'x.ts:2']);
});

/**
 * C that the compiler writes. Besides what asm() becomes: symbols' names, and large copies on
 * x86-64, which every program has.
 */
const WRITERS = ['src/compiler/emit/assembly.ts', 'src/compiler/emit/prelude.ts'];

test('the compiler knows no instruction, but for large copies', () => {
  const files = committedFiles().filter((file) => /^src\/.*\.ts$/.test(file));
  const writers = files.filter((file) =>
    /\b__asm__ volatile|\b__asm__\(\\n|asm volatile/.test(read(file)),
  );
  expect(writers).toEqual(WRITERS);
  const prelude = read('src/compiler/emit/prelude.ts').match(/__asm__ volatile\("[^"]*"/g);
  expect(prelude).toEqual(['__asm__ volatile("rep movsb"', '__asm__ volatile("rep stosb"']);
});
