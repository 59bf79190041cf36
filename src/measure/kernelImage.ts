/**
 * A built Linux kernel as a file (x86-64): its sections, its symbols and who calls a function, read
 * from vmlinux itself.
 *
 * The kernel is linked into the last 2 GiB of the address space. An address here is its distance
 * from there (__START_KERNEL_map, 0xffffffff80000000), which a number holds exactly and which is
 * what a sign-extended 32-bit operand in the code means.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export interface KernelSymbol {
  name: string;
  address: number;
  isFunction: boolean;
}

/** A call of a function, or a jump to it, which is a call in the last place. */
export interface CallSite {
  /** Of the instruction. */
  address: number;
  target: number;
}

interface Section {
  name: string;
  type: number;
  flags: number;
  address: number;
  bytes: Buffer;
  link: number;
}

const MAP_START = 0xffffffff80000000n;
const ELF_MAGIC = 0x7f454c46;
const EM_X86_64 = 62;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;
const STT_FUNC = 2;
const STT_SECTION = 3;
const STT_FILE = 4;

const CALL = 0xe8;
const JUMP = 0xe9;
/** What linkers fill with: int3, nop, zero. */
const FILLERS = [0xcc, 0x90, 0];

export class KernelImage {
  readonly symbols: readonly KernelSymbol[];
  readonly #sections: Section[];
  readonly #byName: Map<string, KernelSymbol>;
  readonly #byAddress = new Map<number, KernelSymbol[]>();

  /**
   * path: vmlinux, an uncompressed ELF. systemMap: the System.map of its build, for one that has
   * been stripped. Throws if it is no such file, or if there are no symbols.
   */
  constructor(path: string, systemMap?: string) {
    this.#sections = readSections(path, readFileSync(path));
    this.symbols = systemMap ? readSystemMap(systemMap) : readSymbols(this.#sections);
    if (this.symbols.length === 0) {
      throw new Error(
        `${path}: a kernel without symbols cannot be read; give the System.map of its build too (--symbols)`,
      );
    }
    this.#byName = new Map(this.symbols.map((symbol) => [symbol.name, symbol]));
    for (const symbol of this.symbols) {
      const there = this.#byAddress.get(symbol.address);
      if (there) there.push(symbol);
      else this.#byAddress.set(symbol.address, [symbol]);
    }
  }

  /** Address of a symbol; undefined: this kernel has none of that name. */
  addressOf(name: string): number | undefined {
    return this.#byName.get(name)?.address;
  }

  /** All symbols at exactly this address. */
  symbolsAt(address: number): readonly KernelSymbol[] {
    return this.#byAddress.get(address) ?? [];
  }

  /** Bytes of the image as it is linked; throws where the file holds none. */
  read(address: number, length: number): Buffer {
    const section = this.#sectionOf(address, length);
    if (!section) throw new Error(`no ${length} bytes at ${hex(address)} in the kernel image`);
    return this.#cut(section, address, length);
  }

  /**
   * A pointer in the image, as an address; null for what points nowhere into the kernel, or is set
   * at run time.
   */
  readPointer(address: number): number | null {
    const section = this.#sectionOf(address, 8);
    return section && fromPointer(this.#cut(section, address, 8).readBigUInt64LE());
  }

  /** Text up to its zero byte. */
  readText(address: number): string {
    let end = address;
    while (this.read(end, 1)[0] !== 0) end++;
    return this.read(address, end - address).toString('latin1');
  }

  /**
   * Every direct call of one of these functions. Any byte that looks like a call is taken for one
   * if it leads to the first byte of a target: four bytes that do so by chance are not to be
   * expected in some million.
   */
  callsOf(targets: ReadonlySet<number>): CallSite[] {
    const calls: CallSite[] = [];
    for (const { address, bytes } of this.#executable()) {
      for (let i = 0; i + 5 <= bytes.length; i++) {
        if (bytes[i] !== CALL && bytes[i] !== JUMP) continue;
        const target = address + i + 5 + bytes.readInt32LE(i + 1);
        if (targets.has(target)) calls.push({ address: address + i, target });
      }
    }
    return calls;
  }

  /** Bytes of machine code, without what the linker fills whole pages with. */
  codeBytes(): number {
    let total = 0;
    for (const { bytes } of this.#executable()) {
      for (let i = 0; i < bytes.length; i += 4096) {
        const page = bytes.subarray(i, i + 4096);
        if (!page.every((byte) => FILLERS.includes(byte))) total += page.length;
      }
    }
    return total;
  }

  #sectionOf(address: number, length: number): Section | null {
    const holds = (section: Section) =>
      section.flags & SHF_ALLOC &&
      section.address <= address &&
      address + length <= section.address + section.bytes.length;
    return this.#sections.find(holds) ?? null;
  }

  #cut(section: Section, address: number, length: number): Buffer {
    return section.bytes.subarray(address - section.address, address - section.address + length);
  }

  #executable(): Section[] {
    return this.#sections.filter(({ flags }) => flags & SHF_EXECINSTR && flags & SHF_ALLOC);
  }
}

/** Whether a file is an ELF at all; a bzImage is none. */
export function isElf(path: string): boolean {
  const start = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, 4, 0);
  } finally {
    closeSync(file);
  }
  return start.readUInt32BE(0) === ELF_MAGIC;
}

/** ELF-64 object file format 1.5, figures 2 and 8. */
function readSections(path: string, file: Buffer): Section[] {
  const is64Bit = file.length >= 64 && file.readUInt32BE(0) === ELF_MAGIC && file[4] === 2;
  if (!is64Bit || file.readUInt16LE(18) !== EM_X86_64) {
    throw new Error(
      `${path}: expected vmlinux, an uncompressed 64-bit ELF kernel for x86-64 (not a bzImage)`,
    );
  }
  const start = Number(file.readBigUInt64LE(40));
  const headerBytes = file.readUInt16LE(58);
  const count = file.readUInt16LE(60);
  const names = file.readUInt16LE(62);
  if (start + count * headerBytes > file.length || (count > 0 && names >= count)) {
    throw new Error(`${path}: its section headers are cut off`);
  }
  const sections = Array.from({ length: count }, (_, i) => {
    const at = start + i * headerBytes;
    const type = file.readUInt32LE(at + 4);
    const offset = Number(file.readBigUInt64LE(at + 24));
    const length = type === SHT_NOBITS ? 0 : Number(file.readBigUInt64LE(at + 32));
    if (offset + length > file.length) throw new Error(`${path}: section ${i} is cut off`);
    return {
      name: String(file.readUInt32LE(at)),
      type,
      flags: Number(file.readBigUInt64LE(at + 8)),
      address: fromPointer(file.readBigUInt64LE(at + 16)) ?? -1,
      bytes: file.subarray(offset, offset + length),
      link: file.readUInt32LE(at + 40),
    };
  });
  for (const section of sections) {
    section.name = textAt(sections[names].bytes, Number(section.name));
  }
  return sections;
}

/** The symbol table, 24 bytes an entry (figure 6 there); empty for a stripped kernel. */
function readSymbols(sections: readonly Section[]): KernelSymbol[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const names = table && sections[table.link];
  if (!table || !names) return [];
  const symbols: KernelSymbol[] = [];
  for (let at = 24; at + 24 <= table.bytes.length; at += 24) {
    const type = table.bytes[at + 4] & 15;
    const section = table.bytes.readUInt16LE(at + 6);
    const address = fromPointer(table.bytes.readBigUInt64LE(at + 8));
    const name = textAt(names.bytes, table.bytes.readUInt32LE(at));
    if (address === null || name === '' || type === STT_SECTION || type === STT_FILE) continue;
    const isCode = section < sections.length && (sections[section].flags & SHF_EXECINSTR) !== 0;
    symbols.push({ name, address, isFunction: type === STT_FUNC && isCode });
  }
  return symbols;
}

/**
 * Lines of address, letter, name: nm(1) says what the letters mean. Its T includes labels of
 * assembly.
 */
function readSystemMap(path: string): KernelSymbol[] {
  const symbols: KernelSymbol[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, digits, letter, name] = /^([0-9a-f]{16}) (\w) (\S+)/.exec(line) ?? [];
    const address = digits && fromPointer(BigInt(`0x${digits}`));
    if (typeof address !== 'number') continue;
    symbols.push({ name, address, isFunction: /[tw]/i.test(letter) });
  }
  return symbols;
}

function textAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('latin1', start, end < 0 ? bytes.length : end);
}

function fromPointer(pointer: bigint): number | null {
  return pointer < MAP_START ? null : Number(pointer - MAP_START);
}

function hex(address: number): string {
  return `0x${(BigInt(address) + MAP_START).toString(16)}`;
}
