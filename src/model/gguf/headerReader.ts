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
    return this.#window[this.#advance(1, field)];
  }

  u32(field: string): number {
    const at = this.#advance(4, field);
    return this.#window.readUInt32LE(at);
  }

  /** A u64 that is at most max, which is below 2^53: a count or an offset. */
  count(field: string, max: number, what: string): number {
    const at = this.#advance(8, field);
    const found = this.#window.readUInt32LE(at) + 2 ** 32 * this.#window.readUInt32LE(at + 4);
    if (found <= max) return found;
    const exact = this.#window.readBigUInt64LE(at);
    throw this.error(field, `${exact} (${what})`, `at most ${max}`);
  }

  /** A string: u64 length, then its bytes. */
  string(field: string, maxLength: number): ByteString {
    const length = this.count(field, Math.min(maxLength, this.remaining), 'length of a string');
    const at = this.#advance(length, field);
    return this.#window.toString('latin1', at, at + length);
  }

  /**
   * Passes over the strings of an array. An element is named only where it is wrong: there may be
   * 10^5 of them, and their names would take more memory than they do.
   */
  skipStrings(count: number, field: string, maxLength: number): void {
    for (let i = 0; i < count; i++) {
      const start = this.#position;
      const at = this.remaining < 8 ? -1 : this.#advance(8, field);
      const length = at < 0 ? 0 : this.#window.readUInt32LE(at);
      const isShort = length <= maxLength && length <= this.remaining;
      if (at >= 0 && isShort && this.#window.readUInt32LE(at + 4) === 0) {
        this.#position += length;
        continue;
      }
      this.#position = start;
      const element = `${field}[${i}]`;
      this.skip(this.count(element, maxLength, 'length of a string'), element);
    }
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
    const at = this.#advance(length, field);
    return this.#window.subarray(at, at + length);
  }

  /** Steps over so many bytes, which are in the window then; returns where. */
  #advance(length: number, field: string): number {
    if (length > this.remaining) throw this.#pastEnd(length, field);
    let start = this.#position - this.#windowStart;
    if (start < 0 || start + length > this.#window.length) {
      this.#window = Buffer.allocUnsafe(Math.min(Math.max(WINDOW, length), this.remaining));
      this.#windowStart = this.#position;
      this.#file.readNow(this.#position, this.#window);
      start = 0;
    }
    this.#position += length;
    return start;
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
