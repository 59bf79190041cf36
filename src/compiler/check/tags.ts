/** JSDoc tags: the compiler acts on each. */

import ts from 'typescript';
import type { Tags } from '../tree.ts';
import { type Context, report } from './context.ts';

type Owner = 'function' | 'struct' | 'storage';

const KNOWN: Record<string, { on: Owner[]; argument?: 'name' | 'power of two' }> = {
  inline: { on: ['function'] },
  noinline: { on: ['function'] },
  interrupt: { on: ['function'] },
  generalRegisters: { on: ['function'] },
  symbol: { on: ['function'], argument: 'name' },
  section: { on: ['storage'], argument: 'name' },
  panic: { on: ['function'] },
  packed: { on: ['struct'] },
  align: { on: ['struct', 'storage'], argument: 'power of two' },
};

export function readTags(context: Context, node: ts.Node, owner: Owner): Tags {
  const tags: Tags = new Map();
  for (const tag of ts.getJSDocTags(node)) {
    const name = tag.tagName.text;
    const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
    if (known === undefined) {
      report(context, tag, 'MU501', { tag: `@${name}` });
      continue;
    }
    const text = (ts.getTextOfJSDocComment(tag.comment) ?? '').trim().split(/\s/)[0];
    const problem = misuse(known, owner, text);
    if (problem !== undefined) report(context, tag, 'MU502', { tag: `@${name}`, ...problem });
    else tags.set(name, text);
  }
  return tags;
}

/**
 * Whether a comment right before a loop says `@unroll`. TypeScript's parser has no JSDoc for
 * statements.
 */
export function isUnrolled(context: Context, loop: ts.ForStatement): boolean {
  const { text } = loop.getSourceFile();
  const comments = (ts.getLeadingCommentRanges(text, loop.pos) ?? []).map(({ pos, end }) =>
    text.slice(pos, end),
  );
  const tags = comments.flatMap((comment) =>
    comment.startsWith('/**') ? (comment.match(/@\w+/g) ?? []) : [],
  );
  for (const tag of tags) if (tag !== '@unroll') report(context, loop, 'MU501', { tag });
  return tags.includes('@unroll');
}

function misuse(
  known: (typeof KNOWN)[string],
  owner: Owner,
  text: string,
): { problem: string; instead: string } | undefined {
  if (!known.on.includes(owner)) {
    return {
      problem: `does not apply to a ${owner}`,
      instead: `it is for a ${known.on.join(' or ')}`,
    };
  }
  if (known.argument === 'name' && !/^[\w.$]+$/.test(text)) {
    return { problem: 'needs a name', instead: '@symbol NAME, @section .NAME' };
  }
  if (known.argument === 'power of two') {
    const bytes = Number(text);
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > 2 ** 30 || (bytes & (bytes - 1)) !== 0) {
      return { problem: 'needs a power of two', instead: 'e.g. @align 64' };
    }
  }
  return undefined;
}
