/**
 * What checking makes of the program: a tree in which every name is resolved, every expression has
 * its type and every conversion is explicit. Emission reads nothing else.
 */

import type { Place } from './diagnostics.ts';
import type { Intrinsic } from './intrinsics/intrinsic.ts';
import type { EnumType, FunctionType, StructType, Type } from './types.ts';

/** bigint: integers and enums; number: floats (rounded to f32 where that is the type). */
export type ConstantValue = bigint | number | boolean;

// --- Declarations --------------------------------------------------------------------------------

/** Markers in JSDoc, with their text: `@align 4096`. */
export type Tags = Map<string, string>;

export interface Local {
  kind: 'local';
  name: string;
  type: Type;
  place: Place;
  mutable: boolean;
  /** ref(local) occurs: calls may change it */
  addressed: boolean;
}

export interface ConstantDeclaration {
  kind: 'constant';
  name: string;
  module: string;
  place: Place;
  type: Type;
  value: ConstantValue;
}

/** Elements of a constant table: scalars, strings, functions, nested arrays. */
export type TableElement = Expression | TableElement[];

export interface GlobalDeclaration {
  kind: 'global';
  name: string;
  module: string;
  place: Place;
  type: Type;
  /**
   * of storage: its symbol where units share it, the same in all of them:
   * `guest/engine/session.ts:evaluated`
   */
  symbol: string;
  /** table: elements of a read-only array; variable: its initial value; zeroed storage: neither */
  table?: TableElement[];
  initial?: Expression;
  mutable: boolean;
  tags: Tags;
}

export interface FunctionDeclaration {
  kind: 'function';
  name: string;
  module: string;
  place: Place;
  type: FunctionType;
  parameters: Local[];
  /** undefined until it is checked, and of external functions */
  body: Statement[] | undefined;
  end: Place;
  tags: Tags;
  exported: boolean;
  /** a further unit's version, of which everyUnit makes a table; its @symbol is the name there */
  external: boolean;
}

// --- Assembly ------------------------------------------------------------------------------------

/** A part of assembly's text: as it is; the operand that stands there; what has a symbol. */
export type AssemblyPiece =
  | string
  | { operand: string }
  | { symbol: FunctionDeclaration | GlobalDeclaration };

/** register: '' for any that the text names by the operand's name */
export interface AssemblyInput {
  name: string;
  register: string;
  value: Expression;
}

export interface AssemblyOutput {
  name: string;
  register: string;
  local: Local;
}

/** asm(…), in a function or at module level: there without operands */
export interface Assembly {
  pieces: AssemblyPiece[];
  /** an output and an input of the same name, if that is of no register, are in one */
  outputs: AssemblyOutput[];
  inputs: AssemblyInput[];
  /** registers besides those of the operands */
  clobbers: string[];
  /** it may read and write memory */
  memory: boolean;
  place: Place;
}

// --- Expressions ---------------------------------------------------------------------------------

interface Common {
  type: Type;
  place: Place;
  /** known at compile time */
  value?: ConstantValue;
}

export type Expression = Common &
  /** hex: written so, and so in C */
  (
    | { kind: 'literal'; hex?: boolean }
    | { kind: 'null' }
    | { kind: 'string'; bytes: Uint8Array }
    | { kind: 'local'; local: Local }
    | { kind: 'constant'; constant: ConstantDeclaration }
    | { kind: 'member'; enum: EnumType; name: string }
    | { kind: 'global'; global: GlobalDeclaration }
    | { kind: 'function'; function: FunctionDeclaration }
    | { kind: 'unary'; operator: '-' | '~' | '!'; operand: Expression }
    | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
    | { kind: 'conditional'; condition: Expression; whenTrue: Expression; whenFalse: Expression }
    /** explicit: written as a cast, so that a checked build checks it */
    | { kind: 'convert'; operand: Expression; explicit: boolean }
    | { kind: 'call'; function: FunctionDeclaration; arguments: Expression[] }
    | { kind: 'callPointer'; callee: Expression; arguments: Expression[] }
    | { kind: 'intrinsic'; intrinsic: Intrinsic; types: Type[]; arguments: Expression[] }
    /** base: a pointer's value, or an array's place */
    | { kind: 'index'; base: Expression; index: Expression }
    /** base: a pointer's value, or a struct's place */
    | { kind: 'field'; base: Expression; field: string }
    | { kind: 'ref'; target: Expression }
    | { kind: 'length'; base: Expression }
    | { kind: 'error' }
  );

export type ExpressionOf<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '<<'
  | '>>'
  | '>>>'
  | '&'
  | '|'
  | '^'
  | '&&'
  | '||'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>=';

// --- Statements ----------------------------------------------------------------------------------

export type Statement = { place: Place } & (
  | { kind: 'variable'; local: Local; initial?: Expression; tags: Tags }
  | { kind: 'assign'; target: Expression; value: Expression }
  /** target = target operator value; the target is evaluated once */
  | { kind: 'update'; target: Expression; operator: BinaryOperator; value: Expression }
  | { kind: 'expression'; expression: Expression }
  | { kind: 'assembly'; assembly: Assembly }
  | { kind: 'if'; condition: Expression; then: Statement[]; else?: Statement[] }
  | { kind: 'while'; condition: Expression; body: Statement[] }
  | { kind: 'do'; condition: Expression; body: Statement[] }
  | {
      kind: 'for';
      /** Written out, once per round: `@unroll`. */
      unroll: boolean;
      initial: Statement[];
      condition?: Expression;
      update: Statement[];
      body: Statement[];
    }
  | { kind: 'switch'; subject: Expression; clauses: SwitchClause[] }
  | { kind: 'block'; body: Statement[] }
  | { kind: 'return'; value?: Expression }
  | { kind: 'break' }
  | { kind: 'continue' }
);

export interface SwitchClause {
  place: Place;
  /** undefined: default */
  case: Expression | undefined;
  body: Statement[];
}

/** The checked program, or one unit of it. */
export interface Program {
  /** a further unit's name; undefined: the main unit, which has the entry and all storage */
  unit: string | undefined;
  functions: FunctionDeclaration[];
  constants: ConstantDeclaration[];
  globals: GlobalDeclaration[];
  structs: StructType[];
  /** @align of structs that have it */
  structAlignments: Map<StructType, number>;
  enums: EnumType[];
  /**
   * functions that the outside may call: exports of the root module and, in the main unit, @symbol
   */
  roots: FunctionDeclaration[];
  /** at module level, in the order of the modules; of the main unit */
  assembly: Assembly[];
  panic: FunctionDeclaration | undefined;
}
