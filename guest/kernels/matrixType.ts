/** How a matrix is stored in the pack; src/pack/tiles.ts writes the same numbers. */
export enum MatrixType {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q6_K,
}
