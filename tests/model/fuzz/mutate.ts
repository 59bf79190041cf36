/** Files with something wrong in them: any bytes, or what stands in their fields. */
import type { Field } from './plainGguf.ts';
import type { Random } from './random.ts';

/** A good file, and where its fields are. */
export interface Original {
  bytes: Buffer;
  fields: readonly Field[];
  /** Those of them that are no elements of a list. */
  others: readonly Field[];
  /** Where its header ends: most changes hit what is before. */
  head: number;
}

export function createOriginal(bytes: Buffer, fields: readonly Field[], head: number): Original {
  return { bytes, fields, others: fields.filter(({ isElement }) => !isElement), head };
}

/** One to three changes of the file. */
export function mutate(original: Original, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original.bytes);
  for (let i = random.below(3); i >= 0 && bytes.length > 0; i--) {
    bytes = random.pick(CHANGES)(bytes, original, random);
  }
  return bytes;
}

type Change = (bytes: Buffer, original: Original, random: Random) => Buffer;

/** Changes of fields three times as often as others. */
const CHANGES: readonly Change[] = [
  ...[setField, setField, setField, flipBits, overwrite, truncate, insert, remove, copy, scramble],
];

const NUMBERS = [
  ...[0n, 1n, 2n, 3n, 4n, 7n, 8n, 9n, 31n, 32n, 33n, 255n, 256n, 4096n, 65535n, 65536n],
  ...[31, 32, 40, 48, 53, 62, 63, 64].flatMap((bits) => [
    2n ** BigInt(bits),
    2n ** BigInt(bits) - 1n,
  ]),
];
const FLOATS = [0, -0, 1, -1, 1e-30, 1e30, 3.4e38, Number.NaN, Number.POSITIVE_INFINITY];

/** Elements of lists are most of a header: every other place is near another field. */
function placeIn(bytes: Buffer, original: Original, random: Random): number {
  const { head } = original;
  if (random.below(2) === 0) {
    const { at, bytes: length } = fieldOf(original, random);
    return Math.min(at + random.below(length + 1), bytes.length - 1);
  }
  const end = random.below(10) > 0 ? Math.min(head, bytes.length) : bytes.length;
  return random.below(end);
}

function fieldOf({ fields, others }: Original, random: Random): Field {
  return random.pick(random.below(4) === 0 ? fields : others);
}

function setField(bytes: Buffer, original: Original, random: Random): Buffer {
  const { at, bytes: length, kind } = fieldOf(original, random);
  if (length === 0 || at + length > bytes.length) return bytes;
  if (kind === 'text') {
    const other = fieldOf(original, random); // another name, as long as this one is
    if (random.below(3) === 0) bytes[at + random.below(length)] = 0x21 + random.below(94);
    else bytes.copyWithin(at, other.at, other.at + Math.min(length, other.bytes));
  } else if (kind === 'float' && random.below(2) === 0) {
    if (length === 4) bytes.writeFloatLE(random.pick(FLOATS), at);
    else bytes.writeDoubleLE(random.pick(FLOATS), at);
  } else {
    const sized = (value: bigint) => BigInt.asUintN(8 * length, value);
    const wide = Buffer.alloc(8);
    bytes.copy(wide, 0, at, at + Math.min(8, length));
    const old = wide.readBigUInt64LE();
    const value = random.pick([random.pick(NUMBERS), old + 1n, old - 1n, 2n * old, old / 2n, ~old]);
    wide.writeBigUInt64LE(BigInt.asUintN(64, sized(value)));
    wide.copy(bytes, at, 0, Math.min(8, length));
  }
  return bytes;
}

function flipBits(bytes: Buffer, original: Original, random: Random): Buffer {
  for (let i = random.below(4); i >= 0; i--) {
    bytes[placeIn(bytes, original, random)] ^= 1 << random.below(8);
  }
  return bytes;
}

function overwrite(bytes: Buffer, original: Original, random: Random): Buffer {
  const at = placeIn(bytes, original, random);
  const end = Math.min(bytes.length, at + 1 + random.below(9));
  for (let i = at; i < end; i++) {
    bytes[i] = random.below(2) === 0 ? random.below(256) : random.pick([0, 1, 0x7f, 0x80, 0xff]);
  }
  return bytes;
}

/** Anywhere, or where a field begins or ends. */
function truncate(bytes: Buffer, original: Original, random: Random): Buffer {
  const { at, bytes: length } = random.pick(original.fields);
  const end = random.pick([placeIn(bytes, original, random), at, at + length, bytes.length - 1]);
  return bytes.subarray(0, end);
}

function insert(bytes: Buffer, original: Original, random: Random): Buffer {
  const at = placeIn(bytes, original, random);
  const more = Buffer.alloc(1 + random.below(64), random.below(2) * random.below(256));
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function remove(bytes: Buffer, original: Original, random: Random): Buffer {
  const at = placeIn(bytes, original, random);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64))]);
}

function copy(bytes: Buffer, original: Original, random: Random): Buffer {
  const [from, to] = [placeIn(bytes, original, random), placeIn(bytes, original, random)];
  bytes.copyWithin(to, from, from + 1 + random.below(128));
  return bytes;
}

/** Random bytes from somewhere on; the first four stay, or no reader would look at the others. */
function scramble(bytes: Buffer, original: Original, random: Random): Buffer {
  const at = Math.max(4, placeIn(bytes, original, random));
  const end = Math.min(bytes.length, at + 256);
  for (let i = at; i < end; i++) bytes[i] = random.below(256);
  return bytes;
}
