/**
 * Everything the compiler can refuse. Errors are data: a code, a place, a message filled in from
 * the table below, and a hint that says what to do. Nothing here is thrown.
 */

export interface Diagnostic {
  code: DiagnosticCode;
  /** path as given, relative to the working directory where it lies inside */
  file: string;
  /** from 1 */
  line: number;
  /** from 1, in UTF-16 units as editors count */
  column: number;
  message: string;
  hint: string;
}

interface Entry {
  /** `{name}` is replaced */
  message: string;
  hint: string;
}

const TABLE = {
  // 0xx: files and modules
  MU001: {
    message: 'syntax: {text}',
    hint: 'correct the TypeScript; an editor shows the same message',
  },
  MU002: {
    message: 'cannot read {path}',
    hint: 'check the path; imports name the file with its .ts extension',
  },
  MU003: {
    message: 'unknown module "{name}"',
    hint: 'a bare name is a per-target module that the build provides (machine, model, arch/…); a file starts with ./ or ../',
  },
  MU004: {
    message: 'module "{module}" exports no "{name}"',
    hint: 'export it there, or correct the name',
  },
  MU005: {
    message: '{what} is not in the dialect',
    hint: 'import { a, b as c } from "./file.ts", export before a declaration, export { a } from "./file.ts"',
  },
  MU006: {
    message: 'the module "{name}" is missing: there is no {path}',
    hint: 'write it, or build for another target; a README.md beside it lists what belongs there',
  },

  // 1xx: TypeScript that is not in the dialect
  MU101: { message: '{what} is not in the dialect', hint: '{instead}' },
  MU102: {
    message: 'only declarations and assembly can stand at module level',
    hint: 'put the statement into a function',
  },
  MU103: { message: '{what} cannot stand inside a function', hint: 'declare it at module level' },
  MU104: { message: '`{operator}` is a statement, not a value', hint: 'write it on its own line' },
  MU105: { message: 'this expression does nothing', hint: 'call a function, assign, or remove it' },
  MU106: { message: '`{operator}` is not in the dialect', hint: '{instead}' },

  // 2xx: names
  MU201: {
    message: 'unknown name "{name}"',
    hint: 'declare or import it; nothing but guest/dialect.d.ts is predeclared',
  },
  MU202: { message: '"{name}" is declared twice', hint: 'rename one of the two' },
  MU203: { message: '"{name}" is used before its declaration', hint: 'move the declaration up' },
  MU204: { message: '"{name}" is a {what}, not a value', hint: '{instead}' },
  MU205: {
    message: 'unknown type "{name}"',
    hint: 'a type is a builtin of docs/language.md, a class, an enum or an alias',
  },
  MU206: { message: '{type} has no field "{name}"', hint: 'its fields are: {fields}' },
  MU207: { message: 'enum {type} has no member "{name}"', hint: 'its members are: {members}' },
  MU208: { message: '"{name}" is a constant', hint: 'declare it with let, or write to a copy' },
  MU209: {
    message: '{name} takes {expected} type arguments, got {actual}',
    hint: 'name one type per parameter',
  },
  MU210: { message: 'the type argument {name} cannot be inferred', hint: 'give it: {call}<…>(…)' },

  // 3xx: types
  MU301: { message: 'expected {expected}, got {actual}', hint: '{instead}' },
  MU302: {
    message: 'operands of `{operator}` are {left} and {right}',
    hint: 'cast one, e.g. {left}(…): only conversions that keep every value happen by themselves',
  },
  MU303: { message: '`{operator}` does not apply to {type}', hint: '{instead}' },
  MU304: { message: '{value} does not fit {type}', hint: 'its values are {range}' },
  MU305: { message: 'a condition must be bool, got {type}', hint: 'compare: x != 0, p != null' },
  MU306: { message: '{type} cannot be cast to {target}', hint: '{instead}' },
  MU307: { message: '{type} cannot be held by {what}', hint: '{instead}' },
  MU308: {
    message: '{name} expects {expected} arguments, got {actual}',
    hint: 'its parameters are ({parameters})',
  },
  MU309: { message: '{type} cannot be called', hint: 'only functions and function pointers can' },
  MU310: {
    message: '{type} cannot be indexed',
    hint: 'only Ptr<T> and FixedArray<T, N> can, by an integer',
  },
  MU311: {
    message: 'this is not a place that can be {what}',
    hint: 'a place is a variable, p[i], p.field or a[i]',
  },
  MU312: {
    message: 'structs and arrays are not copied by `=`',
    hint: 'memory.copy(ref(a), ref(b), sizeof<T>()), or ref(place) for a pointer to it',
  },
  MU313: {
    message: 'not every path of "{name}" returns {type}',
    hint: 'end with return, or unreachable()',
  },
  MU314: { message: '"{name}" returns {type}', hint: '{instead}' },
  MU315: { message: 'a struct cannot contain itself ({type})', hint: 'hold a Ptr<{type}>' },
  MU316: { message: '{what} needs a type', hint: 'write it: {example}' },
  MU317: {
    message: 'the constant expression overflows {type}',
    hint: 'cast an operand to a wider type first, or to an unsigned type if it is meant to wrap',
  },
  MU318: {
    message: 'a {type} in a packed struct is not aligned: it cannot be pointed to',
    hint: 'read and write the field by its name; load<T> and store<T> take any alignment',
  },

  // 4xx: constants
  MU401: {
    message: '{what} must be a constant',
    hint: 'a literal, a module-level const, an enum member, sizeof, or arithmetic of these',
  },
  MU402: { message: 'constants depend on each other: {names}', hint: 'break the circle' },
  MU403: { message: 'constant division by zero', hint: 'it would trap at run time' },
  MU404: { message: 'index {index} is outside {type}', hint: 'the last element is {last}' },
  MU405: {
    message: 'a table has {actual} elements, its type says {expected}',
    hint: 'correct one of the two, or leave N out',
  },
  MU406: { message: 'the case {value} stands twice', hint: 'remove one' },
  MU407: {
    message: 'zeroed<T>() is only the initial value of a const',
    hint: 'const name = zeroed<{type}>()',
  },

  // 5xx: functions and attributes
  MU501: {
    message: 'unknown tag {tag}',
    hint: 'tags of the dialect: @inline @noinline @interrupt @generalRegisters @symbol @section @panic @packed @align @unroll',
  },
  MU502: { message: '{tag} {problem}', hint: '{instead}' },
  MU503: { message: 'a second {what}', hint: 'a program has one; the first is at {first}' },
  MU504: {
    message: '@generalRegisters function "{name}" uses {type}',
    hint: 'floats and vectors live in registers that are not switched on yet',
  },
  MU505: {
    message: 'everyUnit {problem}',
    hint: '{instead}',
  },
  MU506: {
    message: '{symbol} is {actual} in its unit, and {declared} in the main one',
    hint: 'a function that every unit has can only have types that no unit changes',
  },
  MU507: {
    message: 'the unit {unit} uses "{name}", which the main unit does not have',
    hint: "storage is the main unit's: declare it in a module that the main unit imports too",
  },

  // 6xx: intrinsics
  MU601: {
    message: 'there is no assembly on {target}',
    hint: 'what needs it belongs in guest/arch: see guest/arch/README.md',
  },
  MU602: { message: '{name} is not for {type}', hint: '{instead}' },
  MU603: { message: 'unknown builtin {name}', hint: 'guest/dialect.d.ts has all of them' },
  MU604: { message: 'assembly: {problem}', hint: '{instead}' },
} as const satisfies Record<string, Entry>;

export type DiagnosticCode = keyof typeof TABLE;

export const DIAGNOSTICS: Readonly<Record<DiagnosticCode, Entry>> = TABLE;

/** A span of a source file, as far as a diagnostic needs it. */
export interface Place {
  file: string;
  line: number;
  column: number;
}

export function diagnostic(
  code: DiagnosticCode,
  place: Place,
  values: Record<string, string | number> = {},
): Diagnostic {
  const fill = (text: string) =>
    text.replace(/\{(\w+)\}/g, (whole, name: string) =>
      name in values ? String(values[name]) : whole,
    );
  const { message, hint } = DIAGNOSTICS[code];
  return { code, ...place, message: fill(message), hint: fill(hint) };
}

/** `file:line:col - error MU301: message` and the hint below. */
export function formatDiagnostic(d: Diagnostic): string {
  return `${d.file}:${d.line}:${d.column} - error ${d.code}: ${d.message}\n  ${d.hint}`;
}

/** All of them, one below the other. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('\n');
}
