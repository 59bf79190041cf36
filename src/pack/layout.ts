/**
 * The pack's outer form: header, section table, sections. docs/pack-format.md is its
 * specification.
 */

import { HEADER_BYTES, ID_OFFSET, PACK_MAGIC, PACK_VERSION } from './format.ts';

const ENTRY_BYTES = 72;
const NAME_BYTES = 40;
const ALIGNMENT = 64;
/** No matrix stands in the section. */
const NO_TYPE = -1;

/** What a section is made of: bytes at once or, for weights, in pieces. */
export interface Section {
  name: string;
  bytes: number;
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** For matrices: how it is stored, and its shape in the model. */
  matrix?: { type: number; rows: number; columns: number };
}

export interface PlacedSection extends Section {
  /** From the start of the pack. */
  offset: number;
}

export interface Layout {
  sections: PlacedSection[];
  bytes: number;
}

const align = (offset: number) => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

/** Gives every section its place, in the given order. */
export function place(sections: Section[]): Layout {
  let offset = align(HEADER_BYTES + sections.length * ENTRY_BYTES);
  const placed = sections.map((section) => {
    const at = offset;
    offset = align(offset + section.bytes);
    return { ...section, offset: at };
  });
  return { sections: placed, bytes: offset };
}

/** Header and section table. id: the guest refuses a pack whose id it was not compiled for. */
export function header(layout: Layout, id: bigint, context: number): Uint8Array {
  const bytes = new Uint8Array(align(HEADER_BYTES + layout.sections.length * ENTRY_BYTES));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(PACK_MAGIC), 0);
  view.setUint8(7, PACK_VERSION);
  view.setBigUint64(ID_OFFSET, id, true);
  view.setBigUint64(16, BigInt(layout.bytes), true);
  view.setUint32(24, layout.sections.length, true);
  view.setUint32(28, context, true);
  layout.sections.forEach((section, i) => {
    const at = HEADER_BYTES + i * ENTRY_BYTES;
    const name = new TextEncoder().encode(section.name);
    if (name.length >= NAME_BYTES)
      throw new Error(`pack: section name "${section.name}" is over ${NAME_BYTES - 1} bytes`);
    bytes.set(name, at);
    view.setBigUint64(at + 40, BigInt(section.offset), true);
    view.setBigUint64(at + 48, BigInt(section.bytes), true);
    view.setUint32(at + 56, section.matrix?.rows ?? 0, true);
    view.setUint32(at + 60, section.matrix?.columns ?? 0, true);
    view.setInt32(at + 64, section.matrix?.type ?? NO_TYPE, true);
  });
  return bytes;
}

/** The whole pack in order, padding included. */
export async function* packBytes(layout: Layout, head: Uint8Array): AsyncGenerator<Uint8Array> {
  yield head;
  let offset = head.length;
  for (const section of layout.sections) {
    let bytes = 0;
    for await (const piece of section.content()) {
      bytes += piece.length;
      yield piece;
    }
    if (bytes !== section.bytes) {
      throw new Error(
        `pack: section "${section.name}" gave ${bytes} bytes, ${section.bytes} were planned`,
      );
    }
    offset += bytes;
    const padding = align(offset) - offset;
    if (padding) yield new Uint8Array(padding);
    offset += padding;
  }
}
