import type { ByteString } from '../model.ts';
import { ModelError } from '../modelError.ts';
import type { ModelFile } from '../modelFile.ts';

const WINDOW = 1 << 20;

/**
 * Walks a file's header field by field, little endian. No read goes past the end of the file, and
 * no more than a window is held, whatever the lengths in the file say.
 */
export class HeaderReader {
  readonly #file: ModelFile;
  #window = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(file: ModelFile) {
    this.#file = file;
  }

  get position(): number {
    return this.#position;
  }

  get remaining(): number {
    return this.#file.bytes - this.#position;
  }

  u8(field: string): number {
    return this.#take(1, field).readUInt8();
  }

  u32(field: string): number {
    return this.#take(4, field).readUInt32LE();
  }

  u64(field: string): bigint {
    return this.#take(8, field).readBigUInt64LE();
  }

  /** A u64 that is at most max: a count or an offset. */
  count(field: string, max: number, what: string): number {
    const found = this.u64(field);
    if (found > BigInt(max)) throw this.error(field, `${found} (${what})`, `at most ${max}`);
    return Number(found);
  }

  /** A string: u64 length, then its bytes. */
  string(field: string, maxLength: number): ByteString {
    const length = this.count(field, Math.min(maxLength, this.remaining), 'length of a string');
    return this.#take(length, field).toString('latin1');
  }

  /** `length` bytes at the present position, valid until the next call. */
  bytes(length: number, field: string): Buffer {
    return this.#take(length, field);
  }

  skip(length: number, field: string): void {
    if (length > this.remaining) throw this.#pastEnd(length, field);
    this.#position += length;
  }

  seek(position: number): void {
    this.#position = position;
  }

  error(field: string, found: string, expected: string, remedy?: string): ModelError {
    return new ModelError({ file: this.#file.name, field, found, expected, remedy });
  }

  #take(length: number, field: string): Buffer {
    if (length > this.remaining) throw this.#pastEnd(length, field);
    let start = this.#position - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) {
      this.#window = Buffer.allocUnsafe(Math.min(Math.max(WINDOW, length), this.remaining));
      this.#windowStart = this.#position;
      this.#file.readNow(this.#position, this.#window);
      start = 0;
    }
    this.#position += length;
    return this.#window.subarray(start, start + length);
  }

  #pastEnd(length: number, field: string): ModelError {
    return this.error(
      field,
      `the end of the file at byte ${this.#file.bytes}`,
      `${length} more bytes at ${this.#position}`,
      'the file is truncated: fetch it again',
    );
  }
}
