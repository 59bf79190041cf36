/**
 * The same vector cases on every instruction set at hand; all give the bits of the scalar
 * definition.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LINUX, runWasm, toC, withNative } from './build.ts';
import { BYTES, typeNamed, VECTOR_CASES, type VectorCase } from './vectorCases.ts';

type Value = number | bigint;

/** xorshift, so that every run has the same inputs. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function write(view: DataView, at: number, name: string, value: Value): void {
  const { bits, kind } = typeNamed(name);
  if (kind === 'float' && bits === 32) view.setFloat32(at, Number(value), true);
  else if (kind === 'float') view.setFloat64(at, Number(value), true);
  else if (bits === 8) view.setInt8(at, Number(value));
  else if (bits === 16) view.setInt16(at, Number(value), true);
  else if (bits === 32) view.setInt32(at, Number(value), true);
  else view.setBigInt64(at, BigInt(value), true);
}

function read(view: DataView, at: number, name: string): Value {
  const { bits, kind } = typeNamed(name);
  if (kind === 'float') return bits === 32 ? view.getFloat32(at, true) : view.getFloat64(at, true);
  const raw = bits === 64 ? view.getBigInt64(at, true) : 0n;
  const small = bits === 8 ? view.getInt8(at) : bits === 16 ? view.getInt16(at, true) : 0;
  const value = bits === 64 ? raw : bits === 32 ? BigInt(view.getInt32(at, true)) : BigInt(small);
  return kind === 'unsigned' ? BigInt.asUintN(bits, value) : value;
}

/**
 * Integers: any bits, the ends often. Floats: many sizes, ties of rounding, zeros, subnormals,
 * infinities.
 */
function randomValue(name: string, random: () => number): Value {
  const { bits, kind } = typeNamed(name);
  const special = random() % 8 === 0;
  if (kind !== 'float') {
    const any = (BigInt(random()) << 32n) | BigInt(random());
    const ends = [0n, -1n, 1n, 1n << BigInt(bits - 1), (1n << BigInt(bits - 1)) - 1n];
    const value = special ? ends[random() % ends.length] : any;
    return kind === 'signed' ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  }
  const specials = [0, -0, 0.5, -1.5, 2.5, 1e-40, -3e-310, 3e38, Number.POSITIVE_INFINITY];
  const exponent = random() % 16 === 0 ? (random() % 250) - 125 : (random() % 40) - 20;
  const mantissa = (random() / 2 ** 32) * 2 - 1 + random() / 2 ** 60;
  const value = special ? specials[random() % specials.length] : mantissa * 2 ** exponent;
  return bits === 32 ? Math.fround(value) : value;
}

interface Layout {
  case: VectorCase;
  input: number;
  output: number;
  values: Value[][];
  expected: Value[];
}

/** Inputs one after the other, outputs one after the other. */
function layOut(): { layouts: Layout[]; input: Uint8Array; outputBytes: number } {
  const random = generator(20250607);
  const input = new Uint8Array(VECTOR_CASES.length * 3 * BYTES);
  const view = new DataView(input.buffer);
  let output = 0;
  const layouts = VECTOR_CASES.map((vectorCase, n) => {
    const start = n * 3 * BYTES;
    const values = vectorCase.inputs.map((name, k) => {
      const size = typeNamed(name).bits / 8;
      return Array.from({ length: BYTES / size }, (_, i) => {
        const value = randomValue(name, random);
        write(view, start + k * BYTES + i * size, name, value);
        return value;
      });
    });
    const expected = vectorCase.expected(values[0], values[1], values[2]);
    const layout = { case: vectorCase, input: start, output, values, expected };
    output += Math.ceil((expected.length * typeNamed(vectorCase.output).bits) / 8 / 64) * 64;
    return layout;
  });
  return { layouts, input, outputBytes: output };
}

const { layouts, input, outputBytes } = layOut();

const functions = layouts.map(({ case: c }, n) => {
  const [a, b, third] = c.inputs;
  const parameters = `a: Ptr<${a}>, b: Ptr<${b}>, c: Ptr<${third}>, out: Ptr<${c.output}>`;
  return `function test${n}(${parameters}): void { ${c.source} }`;
});
const calls = layouts.map(({ case: c, input: at, output }, n) => {
  const inputs = c.inputs.map((t, k) => `changetype<Ptr<${t}>>(input + ${at + k * BYTES})`);
  return `  test${n}(${inputs.join(', ')}, changetype<Ptr<${c.output}>>(output + ${output}));`;
});
/** WebAssembly has no instruction for fma. */
const isOnWasm = ({ case: { name } }: Layout) => !name.endsWith('fma');
const programOf = (called: string[]) => `${functions.join('\n')}
export function run(input: usize, output: usize): void {
${called.join('\n')}
}
`;
const wasmProgram = programOf(calls.filter((_, n) => isOnWasm(layouts[n])));

const native = `${LINUX}${programOf(calls)}
const INPUT: usize = ${input.length};
const OUTPUT: usize = ${outputBytes};
/** @align 64 */
const input = zeroed<FixedArray<u8, ${input.length}>>();
/** @align 64 */
const output = zeroed<FixedArray<u8, ${outputBytes}>>();

/** @symbol start */
function start(stack: Ptr<usize>): void {
  let done: usize = 0;
  while (done < INPUT) done += usize(call(0, 0, changetype<usize>(ref(input[done])), INPUT - done));
  run(changetype<usize>(ref(input[0])), changetype<usize>(ref(output[0])));
  done = 0;
  while (done < OUTPUT) done += usize(call(1, 1, changetype<usize>(ref(output[done])), OUTPUT - done));
  call(60, 0, 0, 0);
}
`;

function failures(bytes: Uint8Array, ran = layouts): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  for (const { case: c, output, expected, values } of ran) {
    const size = typeNamed(c.output).bits / 8;
    expected.forEach((wanted, i) => {
      const got = read(view, output + i * size, c.output);
      const isZero = wanted === 0 && got === 0;
      const choosesZero = /min|max/i.test(c.name) && isZero; // -0 < 0 is false: either is right
      if (Object.is(got, wanted) || choosesZero) return;
      const context = values.map((list) => list[i]).join(', ');
      found.push(`${c.name}[${i}] (${context}): ${got}, not ${wanted}`);
    });
  }
  return found.slice(0, 10);
}

const flags = new Set(
  /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(/\s+/),
);

describe('vectors', () => {
  test.each([
    ['x86-64-v3', ['-march=x86-64-v3'], ['avx2', 'fma', 'f16c']],
    ['AVX-VNNI', ['-march=x86-64-v3', '-mavxvnni'], ['avx2', 'avx_vnni']],
    ['x86-64-v4', ['-march=x86-64-v4'], ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq']],
    [
      'AVX-512 VNNI',
      ['-march=x86-64-v4', '-mavx512vnni', '-mprefer-vector-width=512'],
      ['avx512f', 'avx512_vnni'],
    ],
  ])('%s', (name, arguments_, needs) => {
    const missing = needs.filter((flag) => !flags.has(flag));
    if (missing.length > 0) {
      process.stderr.write(`${name}: skipped, this CPU lacks ${missing.join(', ')}\n`);
      return;
    }
    const c = toC(native, { target: { arch: 'x86_64' } });
    const run = withNative(c, [...arguments_, '-O1'], (start) => start(input));
    expect(run.status).toBe(0);
    expect(failures(run.stdout)).toEqual([]);
  });

  test.each([
    ['wasm32', ['-O1']],
    ['wasm32 with SIMD', ['-O1', '-msimd128']],
  ])('%s', (_, flags) => {
    const { exports, memory } = runWasm(toC(wasmProgram), flags);
    const at = 1 << 20;
    new Uint8Array(memory.buffer).set(input, at);
    const out = at + input.length;
    exports.run(at, out);
    const bytes = new Uint8Array(memory.buffer, out, outputBytes);
    expect(failures(bytes, layouts.filter(isOnWasm))).toEqual([]);
  });
});
