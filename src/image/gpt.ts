/**
 * A disk image with one partition, an EFI system partition (UEFI 2.10, 5.2 and 5.3). Sectors of 512
 * bytes:
 *
 *   0            protective MBR: one partition of type EE that covers the disk
 *   1            GPT header
 *   2 … 33       its 128 partition entries
 *   40 …         the partition, on a boundary of 4 KiB
 *   last 33      entries and header once more
 *
 * Identifiers are fixed, so the same partition gives the same bytes.
 */
import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { copyInto, writeAll } from './copy.ts';

const SECTOR = 512;
const ENTRIES = 128;
const ENTRY_BYTES = 128;
const TABLE_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR;
const HEADER_BYTES = 92;
const FIRST_USABLE = 2 + TABLE_SECTORS;
const PARTITION_START = 40;

const EFI_SYSTEM_PARTITION = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
const DISK = '6D75496E-6665-4000-8000-000000000001';
const PARTITION = '6D75496E-6665-4000-8000-000000000002';
const NAME = 'EFI system partition';

/** partition: path of a file system in whole sectors. Returns the size of the image in bytes. */
export function writeGpt(partition: string, output: string): number {
  const { size } = statSync(partition);
  if (size % SECTOR !== 0) {
    throw new Error(`${partition} has ${size} bytes: expected whole sectors of ${SECTOR}`);
  }
  const end = PARTITION_START + size / SECTOR;
  const sectors = end + TABLE_SECTORS + 1;
  const entries = partitionEntries(end);
  const headerAt = (at: number, other: number, table: number) =>
    gptHeader({ at, other, table, sectors, entries });
  const unfinished = `${output}.${process.pid}.tmp`;
  try {
    const file = openSync(unfinished, 'w');
    const put = (bytes: Buffer, sector: number) => writeAll(file, bytes, sector * SECTOR);
    put(protectiveMbr(sectors), 0);
    put(headerAt(1, sectors - 1, 2), 1);
    put(entries, 2);
    copyInto(file, PARTITION_START * SECTOR, partition);
    put(entries, end);
    put(headerAt(sectors - 1, 1, end), sectors - 1);
    closeSync(file);
    renameSync(unfinished, output);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return sectors * SECTOR;
}

/** Table 5-3. Cylinders and heads are what is written where they cannot be told. */
function protectiveMbr(sectors: number): Buffer {
  const mbr = Buffer.alloc(SECTOR);
  mbr.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  mbr.writeUInt16LE(0xaa55, 510);
  return mbr;
}

/** Table 5-6: the first entry, the others are empty. end: the first sector after the partition */
function partitionEntries(end: number): Buffer {
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  guid(EFI_SYSTEM_PARTITION).copy(entries, 0);
  guid(PARTITION).copy(entries, 16);
  entries.writeBigUInt64LE(BigInt(PARTITION_START), 32);
  entries.writeBigUInt64LE(BigInt(end - 1), 40);
  entries.write(NAME, 56, 'utf16le');
  return entries;
}

interface Header {
  at: number;
  /** where the other one lies */
  other: number;
  /** where its entries lie */
  table: number;
  sectors: number;
  entries: Buffer;
}

/** Table 5-5 */
function gptHeader({ at, other, table, sectors, entries }: Header): Buffer {
  const header = Buffer.alloc(SECTOR);
  const put = (value: number, offset: number) => header.writeBigUInt64LE(BigInt(value), offset);
  header.write('EFI PART', 0, 'latin1');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(HEADER_BYTES, 12);
  put(at, 24);
  put(other, 32);
  put(FIRST_USABLE, 40);
  put(sectors - TABLE_SECTORS - 2, 48);
  guid(DISK).copy(header, 56);
  put(table, 72);
  header.writeUInt32LE(ENTRIES, 80);
  header.writeUInt32LE(ENTRY_BYTES, 84);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES)), 16);
  return header;
}

/** The first three groups are numbers, little endian (appendix A). */
function guid(text: string): Buffer {
  const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
