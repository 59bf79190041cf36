import type { Tensor } from './model.ts';

/**
 * A matrix of queries or keys, or its bias, in the order in which values 2i and 2i + 1 of a head
 * rotate together, from a file in which values i and i + ropeDim / 2 do (GPT-NeoX, Hugging Face).
 * Rows move within their head, whole, and both of queries and keys, so that each score is a sum of
 * the same products. Values from ropeDim on stay where they are.
 * tensor: [n · headDim][columns], or a vector f32[n · headDim]
 */
export function pairNeighbours(tensor: Tensor, headDim: number, ropeDim: number): Tensor {
  const isVector = tensor.rows === 1;
  const count = isVector ? tensor.columns : tensor.rows;
  const stride = tensor.bytes / count; // bytes of a row, or of a vector's value
  /** The file's place of what comes to `place`. */
  const sourceOf = (place: number) => {
    const i = place % headDim;
    return i < ropeDim ? place - i + (i >> 1) + (i & 1) * (ropeDim / 2) : place;
  };
  const reorder = async (first: number, wanted: number): Promise<Uint8Array> => {
    const start = first - (first % headDim);
    const end = Math.ceil((first + wanted) / headDim) * headDim;
    const raw = isVector ? await tensor.read() : await tensor.readRows(start, end - start);
    const out = new Uint8Array(wanted * stride);
    for (let i = 0; i < wanted; i++) {
      const from = (sourceOf(first + i) - start) * stride;
      out.set(raw.subarray(from, from + stride), i * stride);
    }
    return out;
  };
  return {
    ...tensor,
    read: () => reorder(0, count),
    readRows: (first, rows) => (isVector ? reorder(0, count) : reorder(first, rows)),
  };
}
