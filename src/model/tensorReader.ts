import type { Tensor, TensorType } from './model.ts';
import { ModelError } from './modelError.ts';
import type { ModelFile } from './modelFile.ts';
import { rowBytes } from './quantization.ts';

/** A tensor at `offset` of a file; the reader of the format has checked that it lies inside. */
export function makeTensor(
  file: ModelFile,
  name: string,
  type: TensorType,
  rows: number,
  columns: number,
  offset: number,
): Tensor {
  const stride = rowBytes(type, columns);
  return {
    name,
    type,
    rows,
    columns,
    bytes: rows * stride,
    read: () => file.read(offset, rows * stride),
    readRows(first, count) {
      if (first < 0 || count < 0 || first + count > rows) {
        throw new RangeError(`tensor ${name}: rows ${first} to ${first + count} of ${rows}`);
      }
      return file.read(offset + first * stride, count * stride);
    },
  };
}

/** Norm weights are few and enter every value: a damaged one is refused at once. */
export async function checkFinite(file: ModelFile, tensor: Tensor): Promise<void> {
  const raw = await tensor.read();
  const values = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let i = 0; i < tensor.columns; i++) {
    const value = values.getFloat32(4 * i, true);
    if (!Number.isFinite(value)) {
      throw new ModelError({
        file: file.name,
        field: `tensor ${tensor.name}[${i}]`,
        found: String(value),
        expected: 'a finite number',
        remedy: 'the file is damaged: fetch it again',
      });
    }
  }
}
