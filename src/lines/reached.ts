/** The lines of those declarations that a compiled program holds, beside those of whole files. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { Declaration } from '../compiler/index.ts';
import { countLines } from './count.ts';

/**
 * Code lines by layer (the file's folder below `root`) of the declarations: each from its first
 * word to its end, its comment not counted. One that several units hold counts once. What is no
 * file of ours (constants that a build gives) does not count.
 */
export function countReached(
  declarations: readonly Declaration[],
  root: string,
): Map<string, number> {
  const linesOf = new Map<string, number[]>();
  for (const { file, line } of declarations) {
    linesOf.set(file, [...(linesOf.get(file) ?? []), line]);
  }
  const layers = new Map<string, number>();
  for (const [file, lines] of linesOf) {
    const path = join(root, file);
    if (!existsSync(path)) continue;
    const layer = dirname(file);
    const code = countStatements(readFileSync(path, 'utf8'), lines);
    layers.set(layer, (layers.get(layer) ?? 0) + code);
  }
  return layers;
}

/** Code lines of the statements at module level that have one of these lines, 1 being the first. */
function countStatements(text: string, lines: readonly number[]): number {
  const source = ts.createSourceFile('', text, ts.ScriptTarget.Latest);
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  let code = 0;
  for (const statement of source.statements) {
    // A table that a build gives has its place here
    if (ts.isImportDeclaration(statement)) continue;
    const start = statement.getStart(source);
    const [first, last] = [lineAt(start), lineAt(statement.getEnd())];
    if (!lines.some((line) => line >= first && line <= last)) continue;
    code += countLines(text.slice(start, statement.getEnd())).code;
  }
  return code;
}
