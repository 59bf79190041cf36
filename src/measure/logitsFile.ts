/**
 * The file of a base model's log-probabilities, as llama.cpp's
 * `llama-perplexity --kl-divergence-base` writes and reads it (tools/perplexity/perplexity.cpp), so
 * that its files and ours can be exchanged. Little endian:
 *
 *   bytes  what
 *   8      "_logits_"
 *   4      u32 contextSize: tokens per chunk
 *   4      i32 vocabulary
 *   4      i32 chunks
 *   4 × chunks × contextSize   i32 tokens
 *   then per chunk, per scored position, one row of u16[rowLength(vocabulary)]:
 *     f32 scale, f32 minimum, u16[vocabulary] levels, u16 of padding if the vocabulary is odd
 *
 * log p(token) = scale · level + minimum. Scored are the positions contextSize/2 … contextSize - 2
 * of each chunk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { withPlace } from '../toolchain/cache.ts';

const MAGIC = '_logits_';
const HEADER_BYTES = 20;

export interface LogitsHeader {
  /** Tokens per chunk. */
  contextSize: number;
  vocabulary: number;
  chunks: number;
  /**
   * i32[chunks × contextSize]; without the start token that some models want at the head of each
   * chunk.
   */
  tokens: Int32Array;
}

export interface LogitsReader extends LogitsHeader {
  /**
   * The rows of one chunk, one after the other: u16[scoredPositions(contextSize) ×
   * rowLength(vocabulary)].
   */
  readChunk(chunk: number): Promise<Uint16Array>;
  close(): Promise<void>;
}

export interface LogitsWriter {
  /** Appends rows; the buffer may be used again once the promise is fulfilled. */
  append(rows: Uint16Array): Promise<void>;
  close(): Promise<void>;
}

/** The first position of a chunk whose prediction is scored: the half before it is context only. */
export function firstScored(contextSize: number): number {
  return Math.floor(contextSize / 2);
}

/** How many positions of a chunk are scored; the last has no next token within its chunk. */
export function scoredPositions(contextSize: number): number {
  return contextSize - 1 - firstScored(contextSize);
}

/** u16 per row: two floats, and the vocabulary rounded up to even. */
export function rowLength(vocabulary: number): number {
  return 4 + 2 * Math.ceil(vocabulary / 2);
}

/** Creates the file and writes its header. */
export async function createLogitsFile(path: string, header: LogitsHeader): Promise<LogitsWriter> {
  const file = await open(path, 'w');
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(header.contextSize, 8);
  bytes.writeInt32LE(header.vocabulary, 12);
  bytes.writeInt32LE(header.chunks, 16);
  const write = async (bytes: Uint8Array) => {
    await file.writeFile(bytes).catch((error) => Promise.reject(withPlace(error, path)));
  };
  await write(bytes);
  await write(bytesOf(header.tokens.subarray(0, header.chunks * header.contextSize)));
  return {
    append: (rows) => write(bytesOf(rows)),
    close: () => file.close(),
  };
}

/** Opens a base file and checks its header and size. Throws what is wrong with it, in one line. */
export async function openLogitsFile(path: string): Promise<LogitsReader> {
  const file = await open(path, 'r');
  try {
    return await readHeader(file, path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(file: FileHandle, path: string): Promise<LogitsReader> {
  const size = (await file.stat()).size;
  const head = Buffer.alloc(HEADER_BYTES);
  await readAll(file, head, 0, path);
  const magic = head.toString('latin1', 0, MAGIC.length);
  if (magic !== MAGIC) {
    throw new Error(
      `${path}: not a file of log-probabilities: starts with ${JSON.stringify(magic)}, expected "${MAGIC}"`,
    );
  }
  const contextSize = head.readUInt32LE(8);
  const vocabulary = head.readInt32LE(12);
  const chunks = head.readInt32LE(16);
  if (contextSize < 4 || contextSize > 1 << 24) {
    throw new Error(`${path}: context size (byte 8): expected 4 … 2^24, found ${contextSize}`);
  }
  if (vocabulary < 1 || vocabulary > 1 << 24) {
    throw new Error(`${path}: vocabulary (byte 12): expected 1 … 2^24, found ${vocabulary}`);
  }
  const chunkBytes = 2 * rowLength(vocabulary) * scoredPositions(contextSize);
  const expected = HEADER_BYTES + chunks * (4 * contextSize + chunkBytes);
  if (chunks < 1 || expected !== size) {
    throw new Error(
      `${path}: ${chunks} chunks (byte 16) of ${contextSize} tokens and ${vocabulary} log-probabilities: ` +
        `expected ${expected} bytes, found ${size}`,
    );
  }
  const tokens = new Int32Array(chunks * contextSize);
  await readAll(file, bytesOf(tokens), HEADER_BYTES, path);
  const stranger = tokens.findIndex((token) => token < 0 || token >= vocabulary);
  if (stranger >= 0) {
    throw new Error(
      `${path}: token ${stranger}: expected 0 … ${vocabulary - 1}, found ${tokens[stranger]}`,
    );
  }
  const rowsStart = HEADER_BYTES + 4 * tokens.length;
  return {
    contextSize,
    vocabulary,
    chunks,
    tokens,
    readChunk: async (chunk) => {
      const rows = new Uint16Array(chunkBytes / 2);
      await readAll(file, bytesOf(rows), rowsStart + chunk * chunkBytes, path);
      return rows;
    },
    close: () => file.close(),
  };
}

/** Fills `to` from `position` of the file. */
async function readAll(file: FileHandle, to: Uint8Array, position: number, path: string) {
  let done = 0;
  while (done < to.length) {
    const { bytesRead } = await file.read(to, done, to.length - done, position + done);
    if (bytesRead === 0) {
      throw new Error(`${path}: ends at byte ${position + done}, expected ${position + to.length}`);
    }
    done += bytesRead;
  }
}

function bytesOf(array: Uint16Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
