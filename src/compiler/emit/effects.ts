/**
 * What evaluating an expression can disturb or notice. C leaves the order of operands open; the
 * dialect does not. Two operands may stand in any order unless one writes and the other reads,
 * traps or writes.
 */

import type { Effect } from '../intrinsics/intrinsic.ts';
import type { Expression, FunctionDeclaration, Statement } from '../tree.ts';

export const NONE = 0;
/** depends on memory that a call may write */
export const READS = 1;
/** may stop the program */
export const TRAPS = 2;
/** changes something outside, or talks to the machine */
export const WRITES = 3;

export type Level = 0 | 1 | 2 | 3;

const OF_INTRINSIC: Record<Effect, Level> = {
  none: NONE,
  reads: READS,
  writes: WRITES,
};

export class Effects {
  readonly #functions = new Map<FunctionDeclaration, Level>();
  readonly #checked: boolean;

  /**
   * A function's effect is that of its body: the largest over all calls, by iteration until nothing
   * changes.
   */
  constructor(functions: FunctionDeclaration[], checked: boolean) {
    this.#checked = checked;
    for (let changed = true; changed; ) {
      changed = false;
      for (const declaration of functions) {
        const before = this.ofFunction(declaration);
        const after = Math.max(before, this.#ofStatements(declaration.body ?? [])) as Level;
        if (after !== before) {
          this.#functions.set(declaration, after);
          changed = true;
        }
      }
    }
  }

  ofFunction(declaration: FunctionDeclaration): Level {
    return this.#functions.get(declaration) ?? NONE;
  }

  of(expression: Expression): Level {
    switch (expression.kind) {
      case 'local':
        return expression.local.addressed ? READS : NONE;
      case 'global':
        return expression.global.table === undefined ? READS : NONE;
      case 'unary':
        return this.of(expression.operand);
      case 'binary': {
        const { operator, right } = expression;
        const divides = operator === '/' || operator === '%';
        const mayTrap = divides && expression.type.kind === 'integer' && right.value === undefined;
        return this.#most([expression.left, right], mayTrap ? TRAPS : NONE);
      }
      case 'conditional':
        return this.#most([expression.condition, expression.whenTrue, expression.whenFalse], NONE);
      case 'convert': {
        const mayTrap = this.#checked && expression.explicit && expression.value === undefined;
        return this.#most([expression.operand], mayTrap ? TRAPS : NONE);
      }
      case 'call':
        return this.#most(expression.arguments, this.ofFunction(expression.function));
      case 'callPointer':
        return WRITES;
      case 'intrinsic': {
        const { intrinsic } = expression;
        const own = OF_INTRINSIC[intrinsic.effect];
        const mayTrap = this.#checked && (own === READS || intrinsic.name === 'convert');
        return this.#most(expression.arguments, mayTrap ? TRAPS : own);
      }
      case 'index': {
        const read = this.#checked ? TRAPS : READS;
        return this.#most([expression.base, expression.index], read);
      }
      case 'field': {
        const through = expression.base.type.kind === 'pointer';
        return this.#most([expression.base], this.#checked && through ? TRAPS : READS);
      }
      case 'ref':
        return this.ofAddress(expression.target);
      case 'length':
        if (expression.base.type.kind !== 'array') return this.of(expression.base);
        return this.ofAddress(expression.base) === WRITES ? WRITES : NONE;
      default:
        return NONE;
    }
  }

  /** Effect of finding a place, without reading it. */
  ofAddress(target: Expression): Level {
    if (target.kind === 'local' || target.kind === 'global') return NONE;
    if (target.kind !== 'index' && target.kind !== 'field') return this.of(target);
    const { base } = target;
    const ofBase = base.type.kind === 'pointer' ? this.of(base) : this.ofAddress(base);
    const own = this.#checked ? TRAPS : NONE;
    const ofIndex = target.kind === 'index' ? this.of(target.index) : NONE;
    return Math.max(ofBase, ofIndex, own) as Level;
  }

  #most(expressions: Expression[], own: Level): Level {
    return expressions.reduce<Level>((most, e) => Math.max(most, this.of(e)) as Level, own);
  }

  #ofStatements(statements: Statement[]): Level {
    return statements.reduce<Level>(
      (most, s) => Math.max(most, this.#ofStatement(s)) as Level,
      NONE,
    );
  }

  #ofStatement(statement: Statement): Level {
    switch (statement.kind) {
      case 'variable':
        return statement.initial === undefined ? NONE : this.of(statement.initial);
      case 'assign':
      case 'update': {
        const divides = statement.kind === 'update' && '/%'.includes(statement.operator);
        const own = writesOwn(statement.target) ? (divides ? TRAPS : NONE) : WRITES;
        return Math.max(own, this.of(statement.target), this.of(statement.value)) as Level;
      }
      case 'expression':
        return this.of(statement.expression);
      case 'assembly':
        return WRITES;
      case 'if':
        return Math.max(
          this.of(statement.condition),
          this.#ofStatements(statement.then),
          this.#ofStatements(statement.else ?? []),
        ) as Level;
      case 'while':
      case 'do':
        return Math.max(this.of(statement.condition), this.#ofStatements(statement.body)) as Level;
      case 'for':
        return Math.max(
          statement.condition === undefined ? NONE : this.of(statement.condition),
          this.#ofStatements([...statement.initial, ...statement.update, ...statement.body]),
        ) as Level;
      case 'switch':
        return Math.max(
          this.of(statement.subject),
          ...statement.clauses.map((clause) => this.#ofStatements(clause.body)),
        ) as Level;
      case 'block':
        return this.#ofStatements(statement.body);
      case 'return':
        return statement.value === undefined ? NONE : this.of(statement.value);
      default:
        return NONE;
    }
  }
}

/** Does the assignment stay inside the function's own variables? */
function writesOwn(target: Expression): boolean {
  if (target.kind === 'local') return true;
  if (target.kind !== 'index' && target.kind !== 'field') return false;
  return target.base.type.kind !== 'pointer' && writesOwn(target.base);
}
