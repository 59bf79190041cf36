import { readFileSync } from 'node:fs';

/** What a static ELF takes in memory when it is loaded. */
export interface ElfFootprint {
  /** Bytes that come from the file: code and constants. */
  loadedBytes: number;
  /** Bytes that start as zero: every buffer of the guest. */
  zeroBytes: number;
  /** First address after the last segment. */
  end: number;
}

const PT_LOAD = 1;

/** Reads the program headers of a little-endian 64-bit ELF (ELF-64 object file format 1.5, figure 6). */
export function elfFootprint(path: string): ElfFootprint {
  const file = readFileSync(path);
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) {
    throw new Error(`${path}: not a 64-bit ELF file`);
  }
  const headers = Number(file.readBigUInt64LE(32));
  const headerBytes = file.readUInt16LE(54);
  const count = file.readUInt16LE(56);
  const footprint = { loadedBytes: 0, zeroBytes: 0, end: 0 };
  for (let i = 0; i < count; i++) {
    const at = headers + i * headerBytes;
    if (file.readUInt32LE(at) !== PT_LOAD) continue;
    const address = Number(file.readBigUInt64LE(at + 24)); // p_paddr
    const fileBytes = Number(file.readBigUInt64LE(at + 32));
    const memoryBytes = Number(file.readBigUInt64LE(at + 40));
    footprint.loadedBytes += fileBytes;
    footprint.zeroBytes += memoryBytes - fileBytes;
    footprint.end = Math.max(footprint.end, address + memoryBytes);
  }
  return footprint;
}
