/** x86 instructions that no language can say. Intel SDM volume 2 names each. */

import type { Architecture } from '../target.ts';
import type { Intrinsic, Parameter } from './intrinsic.ts';

const X86: Architecture[] = ['x86_64'];

/** An instruction by a helper of its own: `text` is the body, its parameters are the intrinsic's, named a, b, … */
function instruction(
  name: string,
  parameters: Parameter[],
  result: Parameter,
  body: string,
  targets: Architecture[] | undefined = X86,
): Intrinsic {
  const helper = name.replace('.', '_');
  const list = parameters.map((type, i) => `${cType(type)} ${'abc'[i]}`).join(', ') || 'void';
  const text = `HELPER ${result} ${helper}(${list}) { ${body} }`;
  return {
    name,
    parameters,
    result,
    effect: 'writes',
    targets,
    c: (use) => `${use.helper(helper, text)}(${use.args.join(', ')})`,
  };
}

const cType = (type: Parameter) =>
  type === 'address' ? 'void *' : type.startsWith('Ptr<') ? `${type.slice(4, -1)} *` : type;

const asm = (text: string) => `__asm__ volatile(${text});`;

const readControl = (n: number) =>
  instruction(
    `cpu.readCr${n}`,
    [],
    'u64',
    `u64 x; ${asm(`"mov %%cr${n}, %0" : "=r"(x)`)} return x;`,
  );

const writeControl = (n: number) =>
  instruction(`cpu.writeCr${n}`, ['u64'], 'void', asm(`"mov %0, %%cr${n}" :: "r"(a) : "memory"`));

/** edx:eax as one u64, for instructions that answer so */
const pair = (name: string, parameters: Parameter[], text: string, clobbers = '') =>
  instruction(
    name,
    parameters,
    'u64',
    `u32 low, high; ${asm(`${text} : "=a"(low), "=d"(high) : ${parameters.length ? '"c"(a)' : ''} : "memory"${clobbers}`)} return (u64)high << 32 | low;`,
  );

const setPair = (name: string, text: string) =>
  instruction(
    name,
    ['u32', 'u64'],
    'void',
    asm(`${text} :: "c"(a), "a"((u32)b), "d"((u32)(b >> 32)) : "memory"`),
  );

const input = (bits: number, suffix: string) =>
  instruction(
    `port.in${bits}`,
    ['u16'],
    `u${bits}`,
    `u${bits} x; ${asm(`"in${suffix} %1, %0" : "=a"(x) : "Nd"(a)`)} return x;`,
  );

const output = (bits: number, suffix: string) =>
  instruction(
    `port.out${bits}`,
    ['u16', `u${bits}`],
    'void',
    asm(`"out${suffix} %1, %0" :: "Nd"(a), "a"(b)`),
  );

const PAUSE = `#if defined(__x86_64__)
HELPER void cpu_pause(void) { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
HELPER void cpu_pause(void) { __asm__ volatile("yield"); }
#elif defined(__riscv)
HELPER void cpu_pause(void) { __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010"); }
#else
HELPER void cpu_pause(void) {}
#endif`;

export const machine: Intrinsic[] = [
  {
    name: 'cpu.pause',
    parameters: [],
    result: 'void',
    effect: 'writes',
    c: (use) => `${use.helper('cpu_pause', PAUSE)}()`,
  },
  instruction('cpu.halt', [], 'void', asm('"hlt" ::: "memory"')),
  instruction('cpu.cli', [], 'void', asm('"cli" ::: "memory"')),
  instruction('cpu.sti', [], 'void', asm('"sti" ::: "memory"')),
  instruction('cpu.breakpoint', [], 'void', asm('"int3" ::: "memory"')),
  instruction(
    'cpu.cpuid',
    ['u32', 'u32', 'Ptr<u32>'],
    'void',
    asm('"cpuid" : "=a"(c[0]), "=b"(c[1]), "=c"(c[2]), "=d"(c[3]) : "a"(a), "c"(b)'),
  ),
  pair('cpu.rdtsc', [], '"rdtsc"'),
  pair('cpu.rdtscp', [], '"rdtscp"', ', "ecx"'),
  pair('cpu.rdmsr', ['u32'], '"rdmsr"'),
  setPair('cpu.wrmsr', '"wrmsr"'),
  readControl(0),
  readControl(2),
  readControl(3),
  readControl(4),
  writeControl(0),
  writeControl(3),
  writeControl(4),
  instruction(
    'cpu.readFlags',
    [],
    'u64',
    `u64 x; ${asm('"pushfq\\n\\tpop %0" : "=r"(x) :: "memory"')} return x;`,
  ),
  pair('cpu.xgetbv', ['u32'], '"xgetbv"'),
  setPair('cpu.xsetbv', '"xsetbv"'),
  instruction('cpu.lidt', ['address'], 'void', asm('"lidt (%0)" :: "r"(a) : "memory"')),
  instruction('cpu.lgdt', ['address'], 'void', asm('"lgdt (%0)" :: "r"(a) : "memory"')),
  instruction('cpu.sidt', ['address'], 'void', asm('"sidt (%0)" :: "r"(a) : "memory"')),
  instruction('cpu.sgdt', ['address'], 'void', asm('"sgdt (%0)" :: "r"(a) : "memory"')),
  instruction('cpu.ltr', ['u16'], 'void', asm('"ltr %0" :: "r"(a) : "memory"')),
  instruction('cpu.invlpg', ['address'], 'void', asm('"invlpg (%0)" :: "r"(a) : "memory"')),
  instruction('cpu.wbinvd', [], 'void', asm('"wbinvd" ::: "memory"')),
  instruction('cpu.fninit', [], 'void', asm('"fninit"')),
  instruction('cpu.ldmxcsr', ['u32'], 'void', asm('"ldmxcsr %0" :: "m"(a)')),
  instruction('cpu.codeSelector', [], 'u16', `u16 x; ${asm('"mov %%cs, %0" : "=r"(x)')} return x;`),
  instruction(
    'cpu.stackPointer',
    [],
    'usize',
    `usize x; ${asm('"mov %%rsp, %0" : "=r"(x)')} return x;`,
  ),
  input(8, 'b'),
  input(16, 'w'),
  input(32, 'l'),
  output(8, 'b'),
  output(16, 'w'),
  output(32, 'l'),
];
