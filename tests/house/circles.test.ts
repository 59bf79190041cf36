/**
 * No file imports itself by way of others. An import of types counts as one of values does, and one
 * that is made late (`import('…')`) as one that is made at once: to the reader, who needs one file
 * to understand the other, they are the same. A guest's bare name (`machine`) stands for what each
 * build gives, not for a file: it closes no circle.
 */
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { imports } from './importList.ts';

/** File → the files that it imports. */
type Graph = Map<string, Set<string>>;

/**
 * The one circle: an expression holds calls, these hold expressions; a constant is an expression,
 * and types (the length of an array), globals and builtins need constants. Each of its files is a
 * part of one recursive function.
 */
const CHECKER = ['builtins', 'calls', 'constants', 'expressions', 'functions', 'globals']
  .concat(['operators', 'types'])
  .map((name) => `src/compiler/check/${name}.ts`);

function readGraph(): Graph {
  const graph: Graph = new Map();
  for (const { file, specifier } of imports) {
    if (!graph.has(file)) graph.set(file, new Set());
    if (specifier.startsWith('.')) graph.get(file)?.add(normalize(join(dirname(file), specifier)));
  }
  return graph;
}

/**
 * The groups of files that reach each other (a graph's strongly connected components), largest
 * first, sorted by name.
 */
function findCircles(graph: Graph): string[][] {
  const reached = new Map([...graph.keys()].map((file) => [file, reachedFrom(graph, file)]));
  const circles = new Map<string, string[]>();
  for (const file of graph.keys()) {
    if (!reached.get(file)?.has(file)) continue;
    const circle = [...graph.keys()].filter(
      (other) => reached.get(file)?.has(other) && reached.get(other)?.has(file),
    );
    circles.set(circle.sort().join(), circle);
  }
  return [...circles.values()].sort((a, b) => b.length - a.length);
}

/** The file itself only if a circle leads back to it. */
function reachedFrom(graph: Graph, file: string): Set<string> {
  const reached = new Set<string>();
  const next = [...(graph.get(file) ?? [])];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    next.push(...(graph.get(path) ?? []));
  }
  return reached;
}

test('the checker is the only circle', () => {
  expect(findCircles(readGraph())).toEqual([CHECKER]);
});

test('a circle of three files is found, and one of a file with itself', () => {
  const graph: Graph = new Map([
    ['a', new Set(['b'])],
    ['b', new Set(['c', 'd'])],
    ['c', new Set(['a'])],
    ['d', new Set(['d'])],
    ['e', new Set(['a'])],
  ]);
  expect(findCircles(graph)).toEqual([['a', 'b', 'c'], ['d']]);
});
