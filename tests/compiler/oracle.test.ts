/** The same source by AssemblyScript's compiler and by ours, the same calls, the same results. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';
import { beforeAll, describe, expect, test } from 'vitest';
import { runsAll } from '../sample.ts';
import { allOperations, type Operation } from './arithmetic.ts';
import { call, type Exports, instantiate, runWasm, SANITIZE, toC } from './build.ts';
import { ProgramWriter } from './randomProgram.ts';
import { FLOAT_VALUES, FLOATS, INTEGERS, integerValues, type TestType, toWasm } from './types.ts';

async function runAssemblyScript(source: string): Promise<Exports> {
  const { error, binary, stderr } = await asc.compileString(source, {
    optimizeLevel: 1,
    runtime: 'stub',
    initialMemory: 32,
    use: ['abort='],
  } as never);
  if (error !== null || binary === null) throw new Error(`asc: ${stderr.toString()}`);
  return instantiate(binary).exports;
}

function values(type: TestType): (number | bigint)[] {
  return type.kind === 'float' ? FLOAT_VALUES : integerValues(type);
}

function tuples(parameters: TestType[]): (number | bigint)[][] {
  if (parameters.length === 0) return [[]];
  const [first, ...rest] = parameters;
  const tails = tuples(rest);
  return values(first).flatMap((value) => tails.map((tail) => [toWasm(first, value), ...tail]));
}

/** Where docs/language.md departs from AssemblyScript on purpose. */
function differs({ name, parameters, result }: Operation, args: (number | bigint)[]): boolean {
  const [type] = parameters;
  // i8 and i16: MIN / -1 traps, as for the wider types; asc computes in 32 bits and wraps.
  if (name.startsWith('div_') && type.bits < 32 && args[1] === -1) return true;
  // >>> and rotr of i8 and i16 see 8 and 16 bits; asc's see the sign bits above them too.
  if (/^(shru|rotr)_i(8|16)$/.test(name)) return true;
  // bool(NaN): NaN != 0.
  if (name.startsWith('bool_from_f') && Number.isNaN(args[0])) return true;
  // Float → 8 or 16 bits: the nearest end; asc takes the low bits of the 32-bit cast.
  if (!/_from_f/.test(name) || result.bits >= 32) return false;
  const value = Number(args[0]);
  return !(value > -128 && value < 128) || (value < 0 && result.kind === 'unsigned');
}

const same = (a: unknown, b: unknown) => Object.is(a, b);

describe('operators, casts and builtins of every type', () => {
  const operations = allOperations();
  const source = operations.map((operation) => operation.source).join('\n');
  let theirs: Exports;
  let ours: Exports;
  let sanitized: Exports;
  beforeAll(async () => {
    theirs = await runAssemblyScript(source);
    const c = toC(source);
    ours = runWasm(c).exports;
    sanitized = runWasm(c, SANITIZE).exports;
  });

  test.each([...INTEGERS, ...FLOATS].map((type) => type.name))('%s', (name) => {
    const failures: string[] = [];
    for (const operation of operations) {
      if (operation.parameters[0].name !== name) continue;
      for (const args of tuples(operation.parameters)) {
        if (differs(operation, args)) continue;
        const wanted = call(theirs, operation.name, args);
        for (const [build, exports] of Object.entries({ ours, sanitized })) {
          const got = call(exports, operation.name, args);
          if (!same(got, wanted)) {
            failures.push(`${operation.name}(${args.join(', ')}): asc ${wanted}, ${build} ${got}`);
          }
        }
      }
    }
    expect(failures.slice(0, 20)).toEqual([]);
  });
});

/** Programs: every exported function is called with combinations of these. */
describe('programs', () => {
  const folder = join(import.meta.dirname, 'oracle/cases');
  const known = new Map([...INTEGERS, ...FLOATS].map((type) => [type.name, type]));
  const small: Record<string, (number | bigint)[]> = {
    float: [0, 1.5, -2.25, 1e6, 0.1],
    signed: [0, 1, -1, 5, 10, 37],
    unsigned: [0, 1, 2, 5, 10, 37],
  };

  function signature(parameters: string): TestType[] {
    const names = [...parameters.matchAll(/:\s*(\w+)/g)].map((match) => match[1]);
    return names.map((name) => known.get(name) as TestType);
  }

  function smallTuples(types: TestType[]): (number | bigint)[][] {
    if (types.length === 0) return [[]];
    const tails = smallTuples(types.slice(1));
    return small[types[0].kind].flatMap((v) => tails.map((tail) => [toWasm(types[0], v), ...tail]));
  }

  test.each(readdirSync(folder))('%s', async (file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    const theirs = await runAssemblyScript(source);
    const c = toC(source);
    const builds = { ours: runWasm(c).exports, sanitized: runWasm(c, SANITIZE).exports };
    const failures: string[] = [];
    let calls = 0;
    for (const [, name, parameters] of source.matchAll(/^export function (\w+)\(([^)]*)\)/gm)) {
      for (const args of smallTuples(signature(parameters))) {
        calls += 1;
        const wanted = call(theirs, name, args);
        for (const [build, exports] of Object.entries(builds)) {
          const got = call(exports, name, args);
          if (!same(got, wanted))
            failures.push(`${name}(${args.join(', ')}): asc ${wanted}, ${build} ${got}`);
        }
      }
    }
    expect(failures.slice(0, 20)).toEqual([]);
    expect(calls).toBeGreaterThan(0);
  });
});

describe('random programs', () => {
  const SEEDS = (process.env.SEEDS ?? (runsAll ? '1,2,3' : '1')).split(',').map(Number);
  const FUNCTIONS = 60;

  test.each(SEEDS)('seed %d', async (seed) => {
    const source = new ProgramWriter(seed * 7919).program(FUNCTIONS);
    const theirs = await runAssemblyScript(source);
    const c = toC(source);
    const builds = { ours: runWasm(c).exports, sanitized: runWasm(c, SANITIZE).exports };
    const failures: string[] = [];
    // Globals live on from call to call: all three must take the same way.
    for (let i = 0; i < FUNCTIONS; i++) {
      for (const args of [
        [0, 0n],
        [5, 77n],
        [-3, -1n],
      ] as (number | bigint)[][]) {
        const wanted = call(theirs, `run${i}`, args);
        for (const [build, exports] of Object.entries(builds)) {
          const got = call(exports, `run${i}`, args);
          if (!same(got, wanted))
            failures.push(`run${i}(${args.join(', ')}): asc ${wanted}, ${build} ${got}`);
        }
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
  });
});
