/**
 * Code that may only use general registers: what runs before floats and vectors are switched on
 * (@generalRegisters), and interrupt handlers, which would destroy the interrupted program's
 * vectors. What a handler calls and comes back from is bound by the same; so is an @inline function
 * inside such code.
 */

import { type Diagnostic, diagnostic } from '../diagnostics.ts';
import type { FunctionInstance } from '../tree.ts';
import type { Type } from '../types.ts';

/** All functions that are compiled for general registers only. */
export function generalFunctions(functions: FunctionInstance[]): Set<FunctionInstance> {
  const general = new Set<FunctionInstance>();
  const visit = (instance: FunctionInstance, withCallees: boolean): void => {
    if (general.has(instance)) return;
    general.add(instance);
    for (const callee of scan(instance).callees) {
      const returns = callee.type.result.kind !== 'never';
      if (callee.tags.has('inline') || (withCallees && returns)) visit(callee, withCallees);
    }
  };
  for (const instance of functions) if (instance.tags.has('interrupt')) visit(instance, true);
  for (const instance of functions)
    if (instance.tags.has('generalRegisters')) visit(instance, false);
  return general;
}

export function checkRegisters(general: Set<FunctionInstance>): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const instance of general) {
    const { types } = scan(instance);
    const type = types.find((t) => t.kind === 'float' || t.kind === 'vector');
    if (type === undefined) continue;
    found.push(diagnostic('MU506', instance.place, { name: instance.name, type: type.name }));
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
  callees: FunctionInstance[];
}

/** Types that a function computes with, and what it calls. */
function scan(instance: FunctionInstance): Contents {
  const found: Contents = {
    types: [...instance.type.parameters, instance.type.result],
    callees: [],
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
    } else if (typeof node === 'object' && node !== null) {
      if ('kind' in node && node.kind === 'call' && 'function' in node) {
        found.callees.push(node.function as FunctionInstance);
      }
      for (const [key, value] of Object.entries(node)) {
        if (key === 'type' || key === 'types') found.types.push(...[value].flat());
        else if (key !== 'function' && !FOREIGN.has(key)) visit(value);
      }
    }
  };
  visit(instance.body);
  return found;
}
