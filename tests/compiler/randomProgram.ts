/**
 * Random programs in the subset that AssemblyScript shares: numbers of every type, globals, calls
 * with side effects in every place where C would leave the order open, memory, loops, switches.
 * Terminates always; traps nowhere.
 *
 * Few seeds (SEEDS=… tries others) meet slips of asc 0.28.20 itself: `(i8(-1) & i8(x)) > y`
 * compares bits above the eighth.
 */

const INTEGERS = ['i32', 'u32', 'i64', 'u64', 'u8', 'u16', 'i8', 'i16', 'usize'];
const FLOATS = ['f32', 'f64'];
const TYPES = [...INTEGERS, ...FLOATS];
/** Memory that the programs write: 64 bytes. */
const MEMORY = 1048576;

export class ProgramWriter {
  #state: number;
  #locals: { name: string; type: string; mutable: boolean }[] = [];
  #loops = 0;
  /** one call of another of these functions each, outside loops: more would take for ever */
  #calls = 0;
  #names = 0;
  /** the function being written: it may call those before it */
  #index = 0;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  #random(n: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random(items.length)];
  }

  program(functions: number): string {
    const globals = TYPES.map(
      (type) => `let g_${type}: ${type} = ${this.#literal(type)}; let zero_${type}: ${type} = 0;`,
    );
    const marks = TYPES.map(
      (type) =>
        `function mark_${type}(x: ${type}): ${type} { trace = trace * 31 + i64(x); g_${type} ${FLOATS.includes(type) ? '=' : '^='} x; return x; }`,
    );
    // In AssemblyScript, load<u32> takes the type that its surroundings want; as a call it has its
    // own.
    const gets = INTEGERS.map(
      (type) => `function get_${type}(p: usize): ${type} { return load<${type}>(p); }`,
    );
    const bodies = Array.from({ length: functions }, (_, i) => this.#function(i));
    return ['let trace: i64 = 0;', ...globals, ...marks, ...gets, ...bodies].join('\n');
  }

  #function(index: number): string {
    this.#index = index;
    this.#loops = 0;
    this.#calls = 0;
    this.#locals = [
      { name: 'a', type: 'i32', mutable: true },
      { name: 'b', type: 'u64', mutable: true },
    ];
    const body = Array.from({ length: 3 + this.#random(5) }, () => this.#statement(2)).join('\n  ');
    return `export function run${index}(a: i32, b: u64): i64 {
  trace = 1;
  ${body}
  return trace + ${this.#expression('i64', 3)};
}`;
  }

  #literal(type: string): string {
    const values: Record<string, string[]> = {
      i8: ['-128', '-1', '7', '127'],
      u8: ['0', '1', '200', '255'],
      i16: ['-32768', '-3', '100', '32767'],
      u16: ['0', '9', '40000', '65535'],
      i32: ['-2147483648', '-7', '0', '12345', '2147483647'],
      u32: ['0', '3', '0xdeadbeef', '4294967295'],
      i64: ['-9223372036854775808', '-11', '5', '0x123456789abcdef'],
      u64: ['0', '17', '0xcbf29ce484222325', '18446744073709551615'],
      usize: ['0', '5', '4294967295'],
      f32: ['0', '1.5', '-0.25', '16777216', '1e-30'],
      f64: ['0', '0.1', '-3', '1e100', '123456.789'],
    };
    return this.#pick(values[type]);
  }

  #expression(type: string, depth: number): string {
    const sub = (t = type) => this.#expression(t, depth - 1);
    if (depth <= 0) return this.#leaf(type);
    if (FLOATS.includes(type)) return this.#float(type, sub);
    const small = type === 'i8' || type === 'i16';
    switch (this.#random(small ? 11 : 12)) {
      case 0:
        return this.#leaf(type);
      case 1:
      case 2:
        return `(${sub()} ${this.#pick(['+', '-', '*'])} ${sub()})`;
      case 3:
        return `(${sub()} ${this.#pick(['&', '|', '^'])} ${sub()})`;
      case 4:
        // TypeScript reads `f(x) << (g<T>(y))` as type arguments: a plain name or cast to the
        // right.
        return `(${sub()} ${this.#pick(['<<', '>>'])} ${this.#leaf(type)})`;
      case 5: {
        // Divisors are odd and, where signed, positive: nothing traps.
        const divisor = type.startsWith('i')
          ? `((${sub()} & ${type}(15)) | ${type}(1))`
          : `(${sub()} | ${type}(1))`;
        return `(${sub()} ${this.#pick(['/', '%'])} ${divisor})`;
      }
      case 6:
        return `${this.#pick(['-', '~'])}(${sub()})`;
      case 7:
        // A float becomes 8 or 16 bits in another way in AssemblyScript.
        return `${type}(${sub(this.#pick(/8|16/.test(type) ? INTEGERS : TYPES))})`;
      case 8:
        return `(${this.#condition(depth - 1)} ? ${sub()} : ${sub()})`;
      case 9:
        return `mark_${type}(${sub()})`;
      case 10:
        return `get_${type}(${MEMORY} + (${sub('usize')} & 31))`;
      default:
        return `(${sub()} >>> ${sub()})`;
    }
  }

  #float(type: string, sub: (type?: string) => string): string {
    switch (this.#random(6)) {
      case 0:
      case 1:
        return `(${sub()} ${this.#pick(['+', '-', '*', '/'])} ${sub()})`;
      case 2:
        return `${type}(${sub(this.#pick(TYPES))})`;
      case 3:
        return `${this.#pick(['-', 'nearest'])}(${sub()})`;
      case 4:
        return `mark_${type}(${sub()})`;
      default:
        return this.#leaf(type);
    }
  }

  #leaf(type: string): string {
    const locals = this.#locals.filter((local) => local.type === type);
    const choice = this.#random(4);
    if (choice < 2 && locals.length > 0) return this.#pick(locals).name;
    if (choice === 2) return `g_${type}`;
    if (
      choice === 3 &&
      type === 'i64' &&
      this.#index > 0 &&
      this.#calls === 0 &&
      this.#loops === 0
    ) {
      this.#calls += 1;
      return `(run${this.#random(this.#index)}(${this.#random(9)}, ${this.#random(9)}) ^ trace)`;
    }
    // Constant arithmetic that overflows is refused, so signed literals meet a variable first.
    const literal = `${type}(${this.#literal(type)})`;
    return type.startsWith('i') ? `(zero_${type} ^ ${literal})` : literal;
  }

  #condition(depth: number): string {
    const type = this.#pick(TYPES);
    const sub = () => this.#expression(type, depth - 1);
    switch (this.#random(5)) {
      case 0:
        return `(${this.#leafCondition()} && ${this.#leafCondition()})`;
      case 1:
        return `(${this.#leafCondition()} || !${this.#leafCondition()})`;
      default:
        return `(${sub()} ${this.#pick(['==', '!=', '<', '<=', '>', '>='])} ${sub()})`;
    }
  }

  #leafCondition(): string {
    const type = this.#pick(TYPES);
    return `(mark_${type}(${this.#leaf(type)}) ${this.#pick(['<', '>', '=='])} ${this.#leaf(type)})`;
  }

  #block(depth: number): string {
    const outer = this.#locals.length;
    const body = Array.from({ length: 1 + this.#random(3) }, () => this.#statement(depth)).join(
      ' ',
    );
    this.#locals.length = outer;
    return `{ ${body} }`;
  }

  #statement(depth: number): string {
    const type = this.#pick(TYPES);
    const isFloat = FLOATS.includes(type);
    const targets = [
      ...this.#locals.filter((l) => l.type === type && l.mutable).map((l) => l.name),
      `g_${type}`,
    ];
    switch (this.#random(depth > 0 ? 9 : 5)) {
      case 0: {
        this.#names += 1;
        const name = `v${this.#names}`;
        const mutable = this.#random(2) === 0;
        const text = `${mutable ? 'let' : 'const'} ${name}: ${type} = ${this.#expression(type, 3)};`;
        this.#locals.push({ name, type, mutable });
        return text;
      }
      case 1:
        return `${this.#pick(targets)} = ${this.#expression(type, 4)};`;
      case 2: {
        const operator = this.#pick(
          isFloat ? ['+=', '-=', '*=', '/='] : ['+=', '-=', '*=', '&=', '|=', '^=', '<<=', '>>='],
        );
        return `${this.#pick(targets)} ${operator} ${this.#expression(type, 3)};`;
      }
      case 3:
        // The bits of a NaN are not defined.
        if (isFloat) return `mark_${type}(${this.#expression(type, 3)});`;
        return `store<${type}>(${MEMORY} + (${this.#expression('usize', 2)} & 31), ${this.#expression(type, 3)});`;
      case 4:
        return `${this.#pick(targets)}${this.#pick(['++', '--'])};`;
      case 5:
        return `if (${this.#condition(3)}) ${this.#block(depth - 1)} else ${this.#block(depth - 1)}`;
      case 6: {
        this.#loops += 1;
        this.#names += 1;
        const name = `k${this.#names}`;
        this.#locals.push({ name, type: 'i32', mutable: false });
        const body = this.#block(depth - 1);
        this.#locals.pop();
        this.#loops -= 1;
        const stop =
          this.#random(2) === 0 ? '' : `if (${name} == 3) ${this.#pick(['break', 'continue'])}; `;
        return `for (let ${name}: i32 = 0; ${name} < ${2 + this.#random(4)}; ${name}++) { ${stop}${body} }`;
      }
      case 7: {
        const cases = [0, 1, 2].map(
          (n) => `case ${n}: ${this.#block(depth - 1)} ${this.#pick(['break;', ''])}`,
        );
        return `switch (${this.#expression('i32', 2)} & 3) { ${cases.join(' ')} default: ${this.#block(depth - 1)} }`;
      }
      default:
        return this.#block(depth - 1);
    }
  }
}
