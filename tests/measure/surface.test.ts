/**
 * Reading a kernel's file: one that was made for the test, and files that are none. Real kernels:
 * tests/linux/surface.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { isElf, KernelImage } from '../../src/measure/kernelImage.ts';
import { parseAnswers } from '../../src/measure/probe.ts';
import { readSurface } from '../../src/measure/surface.ts';
import { GUEST_FLAGS, runTool } from '../../src/toolchain/clang.ts';
import { findTool } from '../../src/toolchain/find.ts';

let folder: string;
let kernel: string;

/** apps/kernel.ts, linked where Linux is. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-kernel-'));
  kernel = join(folder, 'vmlinux');
  const { c, diagnostics } = compileToC({
    entry: join(import.meta.dirname, 'apps/kernel.ts'),
    modules: {},
    target: { arch: 'x86_64' },
  });
  expect(formatDiagnostics(diagnostics)).toBe('');
  const [source, object] = [join(folder, 'kernel.c'), join(folder, 'kernel.o')];
  writeFileSync(source, c);
  runTool('clang', [
    ...['--target=x86_64-linux-gnu', ...GUEST_FLAGS, '-mcmodel=kernel'],
    ...['-c', source, '-o', object],
  ]);
  runTool('lld', [
    ...['-static', '-nostdlib', '--image-base=0xffffffff81000000', '-e', 'init'],
    ...['-o', kernel, object],
  ]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('what is registered, and which system calls are there', () => {
  expect(readSurface(kernel)).toMatchObject({
    systemCalls: [
      { number: 0, name: 'read' },
      { number: 2, name: 'exit' },
    ],
    systemCallNumbers: 3,
    drivers: ['atkbd_drv'], // not what is only there, nor what a wrapper passes on
    fileSystems: ['tmpfs'],
    socketFamilies: [],
  });
});

test('symbols are those that nm lists, from the file or from a System.map', () => {
  const [objdump] = findTool('llvm-objdump').command ?? [];
  const nm = objdump?.replace('objdump', 'nm') ?? 'nm';
  const listed = spawnSync(nm, ['-n', kernel], { encoding: 'utf8' }).stdout;
  expect(listed).toContain('T init');
  const systemMap = join(folder, 'System.map');
  writeFileSync(systemMap, listed);
  const expected = listed.trim().split('\n');
  for (const image of [new KernelImage(kernel), new KernelImage(kernel, systemMap)]) {
    const lines = image.symbols.map(({ name, address, isFunction }) => {
      const digits = (BigInt(address) + 0xffffffff80000000n).toString(16);
      return `${digits} ${isFunction} ${name}`;
    });
    expect(lines.sort()).toEqual(
      expected.map((line) => line.replace(/ (\w) /, (_, t) => ` ${/[tw]/i.test(t)} `)).sort(),
    );
  }
  expect(readSurface(kernel, systemMap)).toEqual(readSurface(kernel));
});

test('a file that is no kernel is refused with a line that says what is missing', () => {
  const write = (name: string, bytes: Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const file = readFileSync(kernel);
  expect(() => readSurface(write('text', Buffer.from('not a kernel')))).toThrow(
    /text: expected vmlinux/,
  );
  expect(isElf(write('short', Buffer.from('E')))).toBe(false);
  const stripped = Buffer.from(file);
  stripped.writeUInt16LE(0, 60); // no sections
  expect(() => readSurface(write('stripped', stripped))).toThrow(/without symbols.*--symbols/);
  const map = write('other.map', Buffer.from('ffffffff81000000 T _text\n'));
  expect(() => readSurface(kernel, map)).toThrow(/no sys_call_table/);
});

test('whatever bytes are damaged: an answer, or one line', () => {
  const file = readFileSync(kernel);
  const path = join(folder, 'damaged');
  const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(damage, fc.nat(file.length), (bytes, cut) => {
      const damaged = Buffer.from(file);
      for (const [at, value] of bytes) damaged[at] = value;
      writeFileSync(path, cut % 3 === 0 ? damaged.subarray(0, cut) : damaged);
      try {
        readSurface(path);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(RangeError);
        expect(error).not.toBeInstanceOf(TypeError);
      }
    }),
    { numRuns: 500 },
  );
});

test('a probe that falls silent is an error that quotes it', () => {
  const requests = ['1,2', 'read /proc/version'];
  const output = '1,2\r\n-38\r\n\r\nread /proc/version\r\nLinux\r\n\r\n\r\nend\r\n';
  expect(parseAnswers(output, requests)).toEqual(
    new Map([
      ['1,2', '-38'],
      ['read /proc/version', 'Linux'],
    ]),
  );
  expect(() => parseAnswers('Kernel panic\n', requests)).toThrow(/"1,2".*\n*Kernel panic/);
  expect(() => parseAnswers(output.replace('end', ''), requests)).toThrow(/read \/proc\/version/);
});
