/** Code that runs before floats and vectors are switched on must not touch them. */

import { type Diagnostic, diagnostic } from '../diagnostics.ts';
import type { FunctionInstance, Statement } from '../tree.ts';
import type { Type } from '../types.ts';
import type { Emitter } from './emitter.ts';

export function checkRegisters(functions: FunctionInstance[], _e: Emitter): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const instance of functions) {
    const { tags } = instance;
    if (!tags.has('generalRegisters') && !tags.has('interrupt')) continue;
    const type = firstVectorType(instance);
    if (type === undefined) continue;
    found.push(diagnostic('MU506', instance.place, { name: instance.name, type: type.name }));
  }
  return found;
}

const isVectorRegister = (type: Type) => type.kind === 'float' || type.kind === 'vector';

/** The first float or vector that the function computes with. */
function firstVectorType(instance: FunctionInstance): Type | undefined {
  const seen = [...instance.type.parameters, instance.type.result];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null && 'place' in node) {
      for (const [key, value] of Object.entries(node)) {
        if (key === 'type') seen.push(value as Type);
        else if (!['place', 'function', 'global', 'constant', 'intrinsic', 'enum'].includes(key)) {
          visit(value);
        }
      }
    } else if (typeof node === 'object' && node !== null && 'body' in node) {
      visit((node as { body: Statement[] }).body);
    }
  };
  visit(instance.body);
  return seen.find(isVectorRegister);
}
