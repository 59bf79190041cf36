/**
 * Code that may only use general registers: what runs before floats and vectors are switched on
 * (@generalRegisters), and interrupt handlers, which would destroy the interrupted program's
 * vectors. What a handler calls and comes back from is bound by the same; so is an @inline function
 * inside such code.
 */

import { type Diagnostic, diagnostic } from '../diagnostics.ts';
import type { FunctionDeclaration } from '../tree.ts';
import type { Type } from '../types.ts';

/** All functions that are compiled for general registers only. */
export function generalFunctions(functions: FunctionDeclaration[]): Set<FunctionDeclaration> {
  const general = new Set<FunctionDeclaration>();
  const visit = (declaration: FunctionDeclaration, withCallees: boolean): void => {
    if (general.has(declaration)) return;
    general.add(declaration);
    for (const callee of scan(declaration).callees) {
      const returns = callee.type.result.kind !== 'never';
      if (callee.tags.has('inline') || (withCallees && returns)) visit(callee, withCallees);
    }
  };
  for (const declaration of functions)
    if (declaration.tags.has('interrupt')) visit(declaration, true);
  for (const declaration of functions)
    if (declaration.tags.has('generalRegisters')) visit(declaration, false);
  return general;
}

export function checkRegisters(general: Set<FunctionDeclaration>): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const declaration of general) {
    const { types } = scan(declaration);
    const type = types.find((t) => t.kind === 'float' || t.kind === 'vector');
    if (type === undefined) continue;
    found.push(diagnostic('MU504', declaration.place, { name: declaration.name, type: type.name }));
  }
  return found;
}

/** Keys of the tree that lead out of the function, or nowhere. */
const FOREIGN = new Set([
  'place',
  'end',
  'global',
  'constant',
  'intrinsic',
  'enum',
  'tags',
  'callees',
  'pieces',
]);

interface Contents {
  types: Type[];
  callees: FunctionDeclaration[];
}

/** Types that a function computes with, and what it calls. */
function scan(declaration: FunctionDeclaration): Contents {
  const found: Contents = {
    types: [...declaration.type.parameters, declaration.type.result],
    callees: [],
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
    } else if (typeof node === 'object' && node !== null) {
      if ('kind' in node && node.kind === 'call' && 'function' in node) {
        found.callees.push(node.function as FunctionDeclaration);
      }
      for (const [key, value] of Object.entries(node)) {
        if (key === 'type' || key === 'types') found.types.push(...[value].flat());
        else if (key !== 'function' && !FOREIGN.has(key)) visit(value);
      }
    }
  };
  visit(declaration.body);
  return found;
}
