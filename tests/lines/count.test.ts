import { expect, test } from 'vitest';
import { countLines } from '../../src/lines/count.ts';

test('code is what is neither blank nor comment', () => {
  const text = `/** Adds.
 *  A comment's second line. */
export function add(a: i32, b: i32): i32 {
  // why

  /* alone */
  return a + b; // at the end of a line
}
/* before code */ const x = 1;
#line 3 "a.ts"
`;
  expect(countLines(text)).toEqual({ files: 1, code: 4, all: 10 });
});
