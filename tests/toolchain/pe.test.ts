/** PE files as LLVM reads them, and ELF files that none is made of. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { findTool } from '../../src/toolchain/find.ts';
import { compileGuest } from '../../src/toolchain/guest.ts';
import { peFromElf } from '../../src/toolchain/pe.ts';

const objdump = findTool('llvm-objdump').command;
const missing = objdump === null ? ' (needs llvm-objdump)' : '';

let elf: string;
let efi: string;

beforeAll(async () => {
  const app = join(import.meta.dirname, '../boot/apps/probe.ts');
  const guest = await compileGuest({ machine: 'uefi', app, constants: {} });
  elf = guest.stripped;
  efi = guest.efi as string;
}, 120_000);

function dump(option: string, file: string): string {
  const [program, ...args] = objdump as readonly string[];
  return spawnSync(program, [...args, option, file], { encoding: 'utf8' }).stdout;
}

test.skipIf(objdump === null)(`LLVM reads an EFI application without a date${missing}`, () => {
  const headers = dump('-p', efi);
  expect(headers).toMatch(/file format coff-x86-64/);
  expect(headers).toMatch(/Magic\s+020b\s+\(PE32\+\)/);
  expect(headers).toMatch(/Subsystem\s+0000000a\s+\(EFI application\)/);
  expect(headers).toMatch(/Time\/Date\s+Thu Jan +1 00:00:00 1970/);
  for (const name of ['DYNAMIC_BASE', 'HIGH_ENTROPY_VA', 'NX_COMPAT']) {
    expect(headers).toContain(name);
  }
});

test.skipIf(objdump === null)(`code is the ELF's, at its address${missing}`, () => {
  const instructions = (file: string) =>
    dump('-d', file)
      .split('\n')
      .filter((line) => /^\s+[0-9a-f]+:\t?/.test(line))
      .map((line) => line.split('\t')[0].trim());
  const own = instructions(efi);
  const original = instructions(elf);
  expect(original.length).toBeGreaterThan(1000);
  expect(own.slice(-1000)).toEqual(original.slice(-1000));
});

test.skipIf(objdump === null)(`a pack is the last section, on a page of its own${missing}`, () => {
  const bytes = 5000;
  const path = join(mkdtempSync(join(tmpdir(), 'mu-pe-')), 'embedded.efi');
  onTestFinished(() => rmSync(dirname(path), { recursive: true }));
  const head = peFromElf(readFileSync(elf), bytes);
  writeFileSync(path, Buffer.concat([head, Buffer.alloc(5120)]));
  // Index, name, size in the file, address.
  const sections = [...dump('-h', path).matchAll(/^ +\d+ (\.\w+) +([0-9a-f]{8}) ([0-9a-f]{16})/gm)];
  const [, name, size, address] = sections.at(-1)!;
  expect({ name, size: parseInt(size, 16) }).toEqual({ name: '.pack', size: bytes });
  expect(parseInt(address, 16) % 4096).toBe(0);
  // In the first section, which begins the page after the headers: where it lies, how long it is.
  const code = readFileSync(path).indexOf(readFileSync(efi).subarray(512, 512 + 24));
  expect(head.readBigUInt64LE(code + 24)).toBe(BigInt(`0x${address}`));
  expect(head.readBigUInt64LE(code + 32)).toBe(BigInt(bytes));
});

test('what is none, or has other relocations, is refused', () => {
  expect(() => peFromElf(Buffer.from('not an ELF'))).toThrow(/expected an ELF-64 file/);
  const bytes = readFileSync(elf);
  const sections = Number(bytes.readBigUInt64LE(40));
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const at = sections + i * bytes.readUInt16LE(58);
    if (bytes.readUInt32LE(at + 4) !== 4) continue;
    bytes.writeUInt32LE(1, Number(bytes.readBigUInt64LE(at + 24)) + 8); // R_X86_64_64
  }
  expect(() => peFromElf(bytes)).toThrow(/relocation of type 1 at \d+: only those that add/);
});
