/**
 * How a PC finds its processors: tables as ACPI 6.5 (5.2) and the MultiProcessor Specification 1.4
 * (4) describe them, and damaged ones.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { runWasm } from '../compiler/build.ts';

/** The tables end where the memory ends: who reads too far is trapped. */
const END = 0x200000;
const entry = join(import.meta.dirname, 'apps/processors.ts');
const { c, diagnostics } = compileToC({ entry, target: { arch: 'wasm32' } });
if (diagnostics.length > 0) throw new Error(formatDiagnostics(diagnostics));
const { exports, memory } = runWasm(c);

interface Tables {
  bytes: Buffer;
  /**
   * Tables within the bytes that have a sum of their own: start, length, and where the byte lies
   * that evens it.
   */
  sums: [start: number, length: number, at: number][];
  list: (address: number) => number;
}

/** Local APICs of both kinds of table: 0, 1 and 7; 9 is not enabled. */
const EXPECTED = [0, 1, 7];

function sealed(tables: Tables): Tables {
  for (const [start, length, at] of tables.sums) {
    const { bytes } = tables;
    bytes[at] = 0;
    const sum = bytes.subarray(start, start + length).reduce((a, b) => a + b, 0);
    bytes[at] = -sum & 0xff;
  }
  return tables;
}

/** RSDP at 0, XSDT or RSDT at 48, a table of another name at 112, MADT at 160. */
function acpiTables(isNew: boolean): Tables {
  const bytes = Buffer.alloc(160 + 44 + 4 * 8 + 12);
  const at = (offset: number) => END - bytes.length + offset;
  const madtBytes = bytes.length - 160;
  bytes.write('RSD PTR ', 0, 'latin1');
  bytes[15] = isNew ? 2 : 0;
  if (isNew) {
    bytes.writeUInt32LE(36, 20);
    bytes.writeBigUInt64LE(BigInt(at(48)), 24);
  } else {
    bytes.writeUInt32LE(at(48), 16);
  }
  const width = isNew ? 8 : 4;
  const listBytes = 36 + 2 * width;
  bytes.write(isNew ? 'XSDT' : 'RSDT', 48, 'latin1');
  bytes.writeUInt32LE(listBytes, 52);
  bytes.writeUInt32LE(at(112), 48 + 36);
  bytes.writeUInt32LE(at(160), 48 + 36 + width);
  bytes.write('FACP', 112, 'latin1');
  bytes.writeUInt32LE(36, 116);
  bytes.write('APIC', 160, 'latin1');
  bytes.writeUInt32LE(madtBytes, 164);
  let entry = 160 + 44;
  for (const [identity, flags] of [
    [0, 1],
    [1, 1],
    [9, 0],
  ]) {
    bytes.set([0, 8, identity, identity, flags], entry);
    entry += 8;
  }
  bytes.set([1, 12, 3], entry); // an I/O APIC
  bytes.set([0, 8, 7, 7, 1], entry + 12);
  const sums: Tables['sums'] = [
    [0, 20, 8],
    ...(isNew ? [[0, 36, 32] as [number, number, number]] : []),
    [48, listBytes, 57],
    [112, 36, 121],
    [160, madtBytes, 169],
  ];
  return sealed({ bytes, sums, list: (address) => Number(exports.acpi(address)) });
}

/** "_MP_" at 0, "PCMP" at 16. */
function mpTables(): Tables {
  const bytes = Buffer.alloc(16 + 44 + 4 * 20 + 8);
  const length = bytes.length - 16;
  bytes.write('_MP_', 0, 'latin1');
  bytes.writeUInt32LE(END - bytes.length + 16, 4);
  bytes[8] = 1;
  bytes.write('PCMP', 16, 'latin1');
  bytes.writeUInt16LE(length, 20);
  let entry = 16 + 44;
  for (const [identity, flags] of [
    [0, 3],
    [1, 1],
    [9, 0],
    [7, 1],
  ]) {
    bytes.set([0, identity, 0x14, flags], entry);
    entry += 20;
  }
  bytes.set([1, 0], entry); // a bus
  const sums: Tables['sums'] = [
    [0, 16, 10],
    [16, length, 23],
  ];
  return sealed({ bytes, sums, list: (address) => Number(exports.mp(address)) });
}

/** Local APICs that the guest finds in them. */
function listed({ bytes, list }: Tables): number[] {
  const address = END - bytes.length;
  new Uint8Array(memory.buffer).set(bytes, address);
  const count = list(address);
  return Array.from({ length: count }, (_, i) => Number(exports.identity(i)));
}

describe.each([
  ['ACPI, XSDT', () => acpiTables(true)],
  ['ACPI, RSDT', () => acpiTables(false)],
  ['MP', mpTables],
] as const)('%s', (_, make) => {
  test('the processors that are enabled', () => {
    expect(listed(make())).toEqual(EXPECTED);
  });

  test('a byte that is wrong in a table that is read names nobody', () => {
    const { sums, bytes } = make();
    // The table of another name (FACP) is not read beyond it.
    const read = sums.filter(([start]) => start !== 112);
    for (let at = 0; at < bytes.length; at++) {
      if (!read.some(([start, length]) => at >= start && at < start + length)) continue;
      const tables = make();
      tables.bytes[at] ^= 0x10;
      expect(listed(tables), `byte ${at}`).toEqual([]);
    }
  });

  test('whatever stands in them, with sums that are right: an end, and no read outside', () => {
    for (let seed = 1; seed <= 20_000; seed++) {
      const tables = make();
      let state = seed;
      const next = (below: number) => {
        state = (Math.imul(state, 0x915f77f5) + 0x2545f491) >>> 0;
        return (state >>> 8) % below;
      };
      for (let i = 0; i <= seed % 3; i++) tables.bytes[next(tables.bytes.length)] = next(256);
      expect(listed(sealed(tables)).length).toBeLessThanOrEqual(256);
    }
  });
});
