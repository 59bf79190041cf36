/**
 * Can control reach the end of a list of statements? Only what is plain to see counts as an end.
 */

import type { Statement } from '../tree.ts';

export function completes(statements: Statement[]): boolean {
  return statements.every(statementCompletes);
}

function statementCompletes(statement: Statement): boolean {
  switch (statement.kind) {
    case 'return':
    case 'break':
    case 'continue':
      return false;
    case 'expression':
      return statement.expression.type.kind !== 'never';
    case 'block':
      return completes(statement.body);
    case 'if':
      if (statement.condition.value === true) return completes(statement.then);
      return completes(statement.then) || statement.else === undefined || completes(statement.else);
    case 'while':
    case 'for':
      if (statement.condition === undefined || statement.condition.value === true) {
        return breaks(statement.body);
      }
      return true;
    case 'do':
      if (statement.condition.value === true) return breaks(statement.body);
      return completes(statement.body) || breaks(statement.body) || continues(statement.body);
    case 'switch': {
      const { clauses } = statement;
      if (!clauses.some((clause) => clause.case === undefined)) return true;
      if (clauses.some((clause) => breaks(clause.body))) return true;
      return completes(clauses[clauses.length - 1].body);
    }
    default:
      return true;
  }
}

/** Is there a `break` out of this body (not of a loop or switch inside)? */
export function breaks(statements: Statement[]): boolean {
  return statements.some((statement) => {
    if (statement.kind === 'break') return true;
    if (statement.kind === 'block') return breaks(statement.body);
    if (statement.kind === 'if') return breaks(statement.then) || breaks(statement.else ?? []);
    return false;
  });
}

function continues(statements: Statement[]): boolean {
  return statements.some((statement) => {
    if (statement.kind === 'continue') return true;
    if (statement.kind === 'block') return continues(statement.body);
    if (statement.kind === 'if')
      return continues(statement.then) || continues(statement.else ?? []);
    if (statement.kind === 'switch') return statement.clauses.some((c) => continues(c.body));
    return false;
  });
}
