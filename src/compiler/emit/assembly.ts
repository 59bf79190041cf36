/**
 * Inline assembly as clang's: register variables for operands in a register that is named, any
 * register for the others.
 */

import type { Assembly, Expression, FunctionDeclaration, GlobalDeclaration } from '../tree.ts';
import { bitsOfType, declare, type Emitter, temporary, useFunction } from './emitter.ts';
import { converted } from './expressions.ts';
import { cString } from './literals.ts';

/** At file level. Afterwards the assembler goes on in .text, where the functions are. */
export function moduleAssembly(e: Emitter, assembly: Assembly): string {
  const text = assembly.pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece;
      return 'symbol' in piece ? symbolText(e, piece.symbol) : '';
    })
    .join('');
  return `__asm__(\n${[...text.split('\n'), '.text'].map((line) => `    ${quoted(line, '\n')}`).join('\n')});`;
}

/** A statement, in braces if it needs variables of its own. */
export function inlineAssembly(e: Emitter, assembly: Assembly): string {
  const { inputs, outputs } = assembly;
  const values: string[] = [];
  const registers: string[] = [];
  const after: string[] = [];
  const variable = (type: Expression['type'], register: string, value: string) => {
    const name = temporary(e);
    const place = `register ${declare(e, type, name)} __asm__("${register}")`;
    registers.push(`${place}${value === '' ? '' : ` = ${value}`};`);
    return name;
  };
  const names = new Set(outputs.filter(({ register }) => register === '').map(({ name }) => name));
  // All values before the first register is taken: working one out may need it.
  const ready = inputs.map(({ value }) => {
    const c = converted(e, value);
    if (value.kind === 'local' || value.value !== undefined) return c;
    const name = temporary(e);
    values.push(`${declare(e, value.type, name)} = ${c};`);
    return name;
  });
  const ins = inputs.map(({ name, register, value }, i) => {
    if (register !== '') return `"r"(${variable(value.type, register, ready[i])})`;
    return names.has(name) ? `"[${name}]"(${ready[i]})` : `[${name}] "r"(${ready[i]})`;
  });
  const tied = new Set(inputs.map(({ name }) => name));
  const outs = outputs.map(({ name, register, local }) => {
    const c = e.locals.of(local);
    if (register === '') return `[${name}] "${tied.has(name) ? '=r' : '=&r'}"(${c})`;
    const place = variable(local.type, register, '');
    after.push(`${c} = ${place};`);
    return `"=r"(${place})`;
  });
  const clobbers = [...assembly.clobbers, ...(assembly.memory ? ['memory'] : []), 'cc'];
  const lists = [outs, ins, clobbers.map((name) => `"${name}"`)].map((list) => list.join(', '));
  const statement = `__asm__ volatile(${textOf(e, assembly)} : ${lists.join(' : ')});`;
  const all = [...values, ...registers, statement, ...after];
  return all.length === 1 ? statement : `{ ${all.join(' ')} }`;
}

/**
 * In a function `%`, `{`, `|` and `}` mean something to clang; a named operand is printed as wide
 * as it is.
 */
function textOf(e: Emitter, { pieces, inputs, outputs }: Assembly): string {
  const types = new Map([
    ...inputs.map(({ name, value }) => [name, value.type] as const),
    ...outputs.map(({ name, local }) => [name, local.type] as const),
  ]);
  const text = pieces.map((piece) => {
    if (typeof piece === 'string') return piece.replace(/[%{|}]/g, '%$&');
    if ('symbol' in piece) return symbolText(e, piece.symbol).replace(/[%{|}]/g, '%$&');
    const type = types.get(piece.operand);
    const isHalf = type?.kind === 'enum' || type?.kind === 'bool';
    const bits = type?.kind === 'integer' ? bitsOfType(e, type) : isHalf ? 32 : 64;
    const part = e.target.arch === 'aarch64' && bits <= 32 ? 'w' : '';
    return `%${part}[${piece.operand}]`;
  });
  return quoted(text.join(''), '');
}

const quoted = (line: string, end: string) => cString(new TextEncoder().encode(line + end));

/** What the assembler knows it by. It is kept, though no C may name it. */
function symbolText(e: Emitter, named: FunctionDeclaration | GlobalDeclaration): string {
  e.named.add(named);
  if (named.kind === 'function') {
    const name = useFunction(e, named);
    const symbol = named.tags.get('symbol');
    return symbol !== undefined && (named.external || e.program.roots.includes(named))
      ? symbol
      : name;
  }
  e.globals.add(named);
  declare(e, named.type, '');
  return e.shared.has(named.symbol) ? `"${named.symbol}"` : e.names.of(named);
}
