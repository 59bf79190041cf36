import { readFileSync, writeFileSync } from 'node:fs';

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

/**
 * Offsets of the headers of what is loaded, in a little-endian 64-bit ELF (ELF-64 object file
 * format 1.5, figure 6).
 */
function loadHeaders(file: Buffer, path: string): number[] {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) {
    throw new Error(`${path}: not a 64-bit ELF file`);
  }
  const headers = Number(file.readBigUInt64LE(32));
  const headerBytes = file.readUInt16LE(54);
  const all = Array.from({ length: file.readUInt16LE(56) }, (_, i) => headers + i * headerBytes);
  return all.filter((at) => file.readUInt32LE(at) === PT_LOAD);
}

/** Reads the program headers. */
export function elfFootprint(path: string): ElfFootprint {
  const file = readFileSync(path);
  const footprint = { loadedBytes: 0, zeroBytes: 0, end: 0 };
  for (const at of loadHeaders(file, path)) {
    const address = Number(file.readBigUInt64LE(at + 24)); // p_paddr
    const fileBytes = Number(file.readBigUInt64LE(at + 32));
    const memoryBytes = Number(file.readBigUInt64LE(at + 40));
    footprint.loadedBytes += fileBytes;
    footprint.zeroBytes += memoryBytes - fileBytes;
    footprint.end = Math.max(footprint.end, address + memoryBytes);
  }
  return footprint;
}

/**
 * Gives the first segment an alignment, in place. Limine puts an image where the greatest one of
 * its segments asks for; lld gives all of them the same, and Limine would then round the rights of
 * each to it.
 */
export function alignImage(path: string, bytes: number): void {
  const file = readFileSync(path);
  const [first] = loadHeaders(file, path);
  file.writeBigUInt64LE(BigInt(bytes), first + 48); // p_align
  writeFileSync(path, file);
}
