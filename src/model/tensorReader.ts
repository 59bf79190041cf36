import { findNonFinite, rowBytes, type TensorType, weightTypes } from './formats.ts';
import type { Tensor } from './model.ts';
import { ModelError } from './modelError.ts';
import type { ModelFile } from './modelFile.ts';

/**
 * A tensor at `offset` of a file; the reader of the format has checked that it lies inside. What is
 * read is checked to be finite: one infinite scale would make every answer nonsense.
 */
export function makeTensor(
  file: ModelFile,
  name: string,
  type: TensorType,
  rows: number,
  columns: number,
  offset: number,
): Tensor {
  const stride = rowBytes(type, columns);
  const read = async (first: number, count: number): Promise<Uint8Array> => {
    const raw = await file.read(offset + first * stride, count * stride);
    const block = findNonFinite(type, raw);
    if (block < 0) return raw;
    const value = first * columns + block * weightTypes[type].block;
    throw new ModelError({
      file: file.name,
      field: `tensor ${name}, row ${Math.floor(value / columns)}, column ${value % columns}`,
      found: `a value or scale (${type}) that is infinite or no number`,
      expected: 'finite numbers',
      remedy: 'the file is damaged: fetch it again',
    });
  };
  return {
    name,
    type,
    rows,
    columns,
    bytes: rows * stride,
    read: () => read(0, rows),
    async readRows(first, count) {
      if (first < 0 || count < 0 || first + count > rows) {
        throw new RangeError(`tensor ${name}: rows ${first} to ${first + count} of ${rows}`);
      }
      return read(first, count);
    },
  };
}

/** Rows first … first + rows - 1 of a matrix as one of their own. part: added to its name */
export function rowsOf(tensor: Tensor, first: number, rows: number, part: string): Tensor {
  return {
    ...tensor,
    name: `${tensor.name} (${part})`,
    rows,
    bytes: (tensor.bytes / tensor.rows) * rows,
    read: () => tensor.readRows(first, rows),
    readRows: (from, count) => tensor.readRows(first + from, count),
  };
}
