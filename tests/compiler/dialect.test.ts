/**
 * The ambient library says what the compiler knows, and TypeScript itself accepts what the compiler
 * accepts.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import {
  COMPILE_TIME,
  INTRINSICS,
  VECTOR_INTRINSICS,
} from '../../src/compiler/intrinsics/index.ts';

const root = join(import.meta.dirname, '../..');
const dialect = join(root, 'guest/dialect.d.ts');

/**
 * Functions of the ambient library: plain ones, those of namespaces as `cpu.pause`, those of the
 * vectors' interfaces.
 */
function declared(): { functions: string[]; vectors: string[] } {
  const source = ts.createSourceFile(
    dialect,
    readFileSync(dialect, 'utf8'),
    ts.ScriptTarget.ESNext,
    true,
  );
  const functions = new Set<string>();
  const vectors = new Set<string>();
  for (const node of source.statements) {
    if (ts.isFunctionDeclaration(node) && node.name) functions.add(node.name.text);
    if (ts.isModuleDeclaration(node) && node.body && ts.isModuleBlock(node.body)) {
      for (const inner of node.body.statements) {
        if (ts.isFunctionDeclaration(inner) && inner.name) {
          functions.add(`${node.name.getText()}.${inner.name.text}`);
        }
      }
    }
    if (ts.isInterfaceDeclaration(node) && /^\w*Lanes$/.test(node.name.text)) {
      for (const member of node.members) {
        if (ts.isMethodSignature(member)) vectors.add(member.name.getText());
      }
    }
  }
  return { functions: [...functions].sort(), vectors: [...vectors].sort() };
}

const CASTS = 'i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 bool'.split(' ');

test('guest/dialect.d.ts declares every builtin, and nothing else', () => {
  const { functions, vectors } = declared();
  expect(functions).toEqual([...INTRINSICS.keys(), ...COMPILE_TIME, ...CASTS].sort());
  expect(vectors).toEqual([...VECTOR_INTRINSICS.keys()].sort());
});

/** What `tsc --noEmit` says of these files beside the ambient library. */
function typeErrors(files: string[], paths: Record<string, string[]> = {}): string[] {
  const config = ts.readConfigFile(join(root, 'guest/tsconfig.json'), ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'guest'));
  const program = ts.createProgram([dialect, ...files], { ...options, paths });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      (d) => `${d.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`,
    );
}

describe('tsc accepts', () => {
  test('the cases that the compiler accepts', () => {
    const folder = join(import.meta.dirname, 'cases');
    // Bare names have no declarations here; the cases of modules are checked by the guest's own
    // build.
    const names = readdirSync(folder).filter(
      (name) => !/^(refused|modules|reexports|units)/.test(name),
    );
    expect(typeErrors(names.map((name) => join(folder, name, 'input.ts')))).toEqual([]);
  });

  test('the oracle programs, which asc accepts too', () => {
    const folder = join(import.meta.dirname, 'oracle/cases');
    expect(typeErrors(readdirSync(folder).map((name) => join(folder, name)))).toEqual([]);
  });
});
