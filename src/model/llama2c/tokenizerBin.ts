import { type ByteString, PieceType, type Tokenizer } from '../model.ts';
import { ModelError } from '../modelError.ts';
import { openModelFile } from '../modelFile.ts';

const MAX_FILE = 1 << 26;
const MAX_PIECE = 4096;
const FIRST_BYTE_TOKEN = 3; // <0x00>; 0 is <unk>, 1 BOS, 2 EOS

/**
 * llama2.c's tokenizer.bin: the longest piece's bytes i32, then per token score f32, length i32,
 * bytes. The number of tokens stands only in the checkpoint. Pieces have spaces where SentencePiece
 * has ▁.
 */
export async function readTokenizerBin(path: string, vocabSize: number): Promise<Tokenizer> {
  const file = await openModelFile(path);
  try {
    const refuse = (field: string, found: string, expected: string) =>
      new ModelError({
        file: file.name,
        field,
        found,
        expected,
        remedy: "check that this tokenizer.bin is the checkpoint's own",
      });
    if (file.bytes > MAX_FILE || file.bytes < 4) {
      throw refuse('file size', `${file.bytes} bytes`, `4 to ${MAX_FILE}`);
    }
    const bytes = Buffer.from(await file.read(0, file.bytes));
    const pieces: ByteString[] = [];
    const scores = new Float32Array(vocabSize);
    let at = 4;
    for (let token = 0; token < vocabSize; token++) {
      const field = `token ${token}`;
      if (at + 8 > bytes.length) {
        throw refuse(field, 'the end of the file', `${vocabSize} tokens as in the checkpoint`);
      }
      scores[token] = bytes.readFloatLE(at);
      const length = bytes.readInt32LE(at + 4);
      at += 8;
      if (!Number.isFinite(scores[token])) {
        throw refuse(`${field} score`, String(scores[token]), 'a finite number');
      }
      if (length < 0 || length > Math.min(MAX_PIECE, bytes.length - at)) {
        throw refuse(`${field} length`, String(length), `0 to ${MAX_PIECE}, inside the file`);
      }
      pieces.push(bytes.toString('latin1', at, at + length));
      at += length;
    }
    if (at !== bytes.length) {
      throw refuse(
        'file size',
        `${bytes.length} bytes`,
        `${at}, the end of ${vocabSize} tokens as in the checkpoint`,
      );
    }
    return {
      kind: 'spm',
      pieces,
      scores,
      types: pieceTypes(pieces),
      merges: [],
      bos: 1,
      eos: 2,
      unknown: 0,
      end: [1, 2], // run.c stops at BOS, which separates stories
      addBos: true,
      stripsAfter: [],
      addEos: false,
      addSpacePrefix: true,
      stripAfterBos: true,
      ignoreMerges: false,
    };
  } finally {
    await file.close();
  }
}

function pieceTypes(pieces: ByteString[]): Uint8Array {
  return Uint8Array.from(pieces, (piece, token) => {
    if (token === 0) return PieceType.unknown;
    if (token < FIRST_BYTE_TOKEN) return PieceType.control;
    return /^<0x[0-9A-F]{2}>$/.test(piece) ? PieceType.byte : PieceType.normal;
  });
}
