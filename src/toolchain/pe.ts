/**
 * From a position-independent ELF to a PE32+ EFI application. The compiler and linker are the same
 * as for every other guest, on every instruction set (no linker makes PE files for RISC-V); what is
 * left to do is to write headers around the segments.
 *
 *   0          DOS header, which only points on · PE header · optional header · section table
 *   512 …      a section for each segment, at the segment's address
 *              .reloc: where firmware adds the load address
 *              .pack, if the model pack is a part of the application
 *
 * No date, no checksum, no path: the same ELF gives the same bytes. Layout: Microsoft, "PE Format";
 * UEFI 2.10, 2.1.1.
 */

export const FILE_ALIGNMENT = 512;
const PAGE = 4096;
const SECTION_HEADER_BYTES = 40;
/** Where the PE header begins; the DOS header before it takes so much. */
const PE_START = 64;
const OPTIONAL_HEADER_BYTES = 240;
const DIRECTORIES = 16;
const RELOCATION_DIRECTORY = 5;
const RELOCATIONS = '.reloc';

/**
 * ELF machine → PE machine, and the ELF's relocation that adds the load address (R_…_RELATIVE of
 * each psABI).
 */
const MACHINES: Record<number, { pe: number; relative: number }> = {
  62: { pe: 0x8664, relative: 8 },
  183: { pe: 0xaa64, relative: 1027 },
  243: { pe: 0x5064, relative: 3 },
};

const PT_LOAD = 1;
const SHT_RELA = 4;
const SHF_ALLOC = 2;
const EXECUTED = 1;
const WRITTEN = 2;

/** EFI_IMAGE_SUBSYSTEM_EFI_APPLICATION */
const SUBSYSTEM = 10;
/** High addresses, any address, no execution of data. */
const CHARACTERISTICS = 0x20 | 0x40 | 0x100;

interface Section {
  name: string;
  flags: number;
  address: number;
  memoryBytes: number;
  /** without what fills its last block */
  fileBytes: number;
  content: Buffer;
}

interface Relocation {
  /** where a pointer lies */
  address: number;
  /** where it points, without the load address */
  target: bigint;
}

/**
 * Where the guest looks for the address and the length of a pack in the image
 * (guest/machine/uefi/layout.ts).
 */
export const PACK_FIELDS = 0x1018;

/**
 * elf: a static, position-independent ELF-64 that is linked at 0 and leaves the first page free.
 * Throws where it is none. packBytes: a section of this size comes last; what is returned ends
 * where its bytes are to follow, in whole blocks of FILE_ALIGNMENT.
 */
export function peFromElf(elf: Buffer, packBytes = 0): Buffer {
  const machine = elf.length >= 64 && elf.readUInt32BE(0) === 0x7f454c46 && elf.readUInt16LE(18);
  const known = machine ? MACHINES[machine] : undefined;
  if (!known || elf[4] !== 2) {
    throw new Error('expected an ELF-64 file for x86-64, AArch64 or RISC-V to make a PE file of');
  }
  const sections = readSegments(elf);
  const relocations = readRelocations(elf, known.relative);
  for (const { address, target } of relocations) patch(sections, address, target);
  const content = baseRelocations(relocations.map(({ address }) => address));
  const place = { address: endOf(sections), memoryBytes: content.length };
  // initialized, read, may be dropped
  sections.push({
    name: RELOCATIONS,
    flags: 0x42000040,
    ...place,
    fileBytes: content.length,
    content,
  });
  if (packBytes > 0) addPack(sections, packBytes);
  const entry = Number(elf.readBigUInt64LE(24));
  return Buffer.concat([
    headers(known.pe, entry, sections),
    ...sections.map((section) => padded(section.content)),
  ]);
}

/** First page after the last section. */
function endOf(sections: readonly Section[]): number {
  const last = sections[sections.length - 1];
  return roundUp(last.address + last.memoryBytes, PAGE);
}

/** Its section, without the content, and where the guest finds it. */
function addPack(sections: Section[], bytes: number): void {
  const address = endOf(sections);
  if (address + bytes >= 2 ** 32) {
    throw new Error(`a model pack of ${bytes} bytes is too large for a PE file of less than 4 GiB`);
  }
  const { flags } = sectionKind(0);
  const content = Buffer.alloc(0);
  sections.push({ name: '.pack', flags, address, memoryBytes: bytes, fileBytes: bytes, content });
  const fields = sections.find((section) => section.address <= PACK_FIELDS);
  fields?.content.writeBigUInt64LE(BigInt(address), PACK_FIELDS - fields.address);
  fields?.content.writeBigUInt64LE(BigInt(bytes), PACK_FIELDS + 8 - fields.address);
}

/** ELF-64 object file format 1.5, figure 6. */
function readSegments(elf: Buffer): Section[] {
  const start = Number(elf.readBigUInt64LE(32));
  const sections: Section[] = [];
  for (let i = 0; i < elf.readUInt16LE(56); i++) {
    const at = start + i * elf.readUInt16LE(54);
    if (elf.readUInt32LE(at) !== PT_LOAD) continue;
    const rights = elf.readUInt32LE(at + 4);
    const [offset, address, , fileBytes, memoryBytes] = [8, 16, 24, 32, 40].map((field) =>
      Number(elf.readBigUInt64LE(at + field)),
    );
    if (memoryBytes === 0) continue;
    if (address % PAGE !== 0 || address < PAGE) {
      throw new Error(
        `a segment begins at ${address}: expected a whole page that is not the first`,
      );
    }
    sections.push({
      ...sectionKind(rights),
      ...{ address, memoryBytes, fileBytes },
      content: Buffer.from(elf.subarray(offset, offset + fileBytes)),
    });
  }
  return sections;
}

/** Name and flags: bits 5-6 code, initialized data; 29-31 executed, read, written. */
function sectionKind(rights: number): { name: string; flags: number } {
  if (rights & EXECUTED) return { name: '.text', flags: 0x60000020 };
  if (rights & WRITTEN) return { name: '.data', flags: 0xc0000040 };
  return { name: '.rodata', flags: 0x40000040 };
}

/** Those of the sections that a loader would read (figures 4 and 5). */
function readRelocations(elf: Buffer, relative: number): Relocation[] {
  const start = Number(elf.readBigUInt64LE(40));
  const relocations: Relocation[] = [];
  for (let i = 0; i < elf.readUInt16LE(60); i++) {
    const at = start + i * elf.readUInt16LE(58);
    const isDynamic = (Number(elf.readBigUInt64LE(at + 8)) & SHF_ALLOC) !== 0;
    if (elf.readUInt32LE(at + 4) !== SHT_RELA || !isDynamic) continue;
    const offset = Number(elf.readBigUInt64LE(at + 24));
    const bytes = Number(elf.readBigUInt64LE(at + 32));
    for (let entry = offset; entry < offset + bytes; entry += 24) {
      const type = elf.readUInt32LE(entry + 8);
      const address = Number(elf.readBigUInt64LE(entry));
      if (type !== relative) {
        throw new Error(
          `the ELF has a relocation of type ${type} at ${address}: only those that add the load address (${relative}) exist in a PE file`,
        );
      }
      relocations.push({ address, target: elf.readBigInt64LE(entry + 16) });
    }
  }
  return relocations.sort((a, b) => a.address - b.address);
}

/** ELF has the target in its table, PE in the place itself. */
function patch(sections: readonly Section[], address: number, target: bigint): void {
  const home = sections.find(
    (section) =>
      address >= section.address && address + 8 <= section.address + section.content.length,
  );
  if (!home) throw new Error(`a relocation at ${address} lies outside of what the file holds`);
  home.content.writeBigInt64LE(target, address - home.address);
}

/**
 * A block for each page: its address, the block's length, and per pointer 16 bits: kind 10 (64-bit)
 * and offset.
 */
function baseRelocations(addresses: readonly number[]): Buffer {
  const pages = new Map<number, number[]>();
  for (const address of addresses) {
    const page = address - (address % PAGE);
    pages.set(page, [...(pages.get(page) ?? []), address]);
  }
  // Without any, one empty block: some firmware takes a file without relocations for one that
  // cannot be moved.
  if (pages.size === 0) pages.set(PAGE, []);
  return Buffer.concat(
    [...pages].map(([page, inPage]) => {
      const block = Buffer.alloc(8 + roundUp(Math.max(inPage.length, 1), 2) * 2);
      block.writeUInt32LE(page, 0);
      block.writeUInt32LE(block.length, 4);
      inPage.forEach((address, i) => {
        block.writeUInt16LE(0xa000 | (address - page), 8 + 2 * i);
      });
      return block;
    }),
  );
}

function headers(machine: number, entry: number, sections: readonly Section[]): Buffer {
  const optional = PE_START + 24;
  const tables = optional + OPTIONAL_HEADER_BYTES;
  const headerBytes = roundUp(tables + sections.length * SECTION_HEADER_BYTES, FILE_ALIGNMENT);
  const header = Buffer.alloc(headerBytes);
  header.write('MZ', 0, 'latin1');
  header.writeUInt32LE(PE_START, 60);
  header.write('PE\0\0', PE_START, 'latin1');
  const coff = PE_START + 4;
  header.writeUInt16LE(machine, coff);
  header.writeUInt16LE(sections.length, coff + 2);
  header.writeUInt16LE(OPTIONAL_HEADER_BYTES, coff + 16);
  header.writeUInt16LE(0x22, coff + 18); // executable, may lie above 2 GiB

  const [code, ...data] = sections;
  const relocations = sections.find(({ name }) => name === RELOCATIONS)!;
  const fileBytes = (section: Section) => roundUp(section.fileBytes, FILE_ALIGNMENT);
  header.writeUInt16LE(0x20b, optional); // PE32+
  header.writeUInt32LE(fileBytes(code), optional + 4);
  header.writeUInt32LE(
    data.reduce((sum, section) => sum + fileBytes(section), 0),
    optional + 8,
  );
  header.writeUInt32LE(entry, optional + 16);
  header.writeUInt32LE(code.address, optional + 20);
  header.writeUInt32LE(PAGE, optional + 32);
  header.writeUInt32LE(FILE_ALIGNMENT, optional + 36);
  header.writeUInt32LE(endOf(sections), optional + 56);
  header.writeUInt32LE(headerBytes, optional + 60);
  header.writeUInt16LE(SUBSYSTEM, optional + 68);
  header.writeUInt16LE(CHARACTERISTICS, optional + 70);
  header.writeUInt32LE(DIRECTORIES, optional + 108);
  const directory = optional + 112 + 8 * RELOCATION_DIRECTORY;
  header.writeUInt32LE(relocations.address, directory);
  header.writeUInt32LE(relocations.memoryBytes, directory + 4);

  let offset = headerBytes;
  sections.forEach((section, i) => {
    const at = tables + i * SECTION_HEADER_BYTES;
    header.write(section.name, at, 'latin1');
    header.writeUInt32LE(section.memoryBytes, at + 8);
    header.writeUInt32LE(section.address, at + 12);
    header.writeUInt32LE(fileBytes(section), at + 16);
    header.writeUInt32LE(offset, at + 20);
    header.writeUInt32LE(section.flags, at + 36);
    offset += fileBytes(section);
  });
  return header;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([
    content,
    Buffer.alloc(roundUp(content.length, FILE_ALIGNMENT) - content.length),
  ]);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
