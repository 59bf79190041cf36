/** Where the matrices and norms of the model lie in the pack. */
import { DIM, LAYERS, MATRIX_OFFSETS, MATRIX_TYPES, WEIGHTS_NORMS } from 'model';
import { packStart } from 'machine';

/** The matrices of a layer, in the order of the pack's tables. */
export enum Role {
  Query,
  Key,
  Value,
  AttentionOutput,
  Gate,
  Up,
  Down,
}

const ROLES: i32 = 7;

export function matrixOf(layer: i32, role: Role): Ptr<u8> {
  return ref(packStart()[MATRIX_OFFSETS[layer * ROLES + role]]);
}

export function typeOf(layer: i32, role: Role): i32 {
  return MATRIX_TYPES[layer * ROLES + role];
}

/** f32[DIM] */
function norm(index: i32): Ptr<f32> {
  return changetype<Ptr<f32>>(ref(packStart()[WEIGHTS_NORMS + usize(index * DIM * 4)]));
}

export function attentionNorm(layer: i32): Ptr<f32> {
  return norm(layer * 2);
}

export function feedForwardNorm(layer: i32): Ptr<f32> {
  return norm(layer * 2 + 1);
}

export function outputNorm(): Ptr<f32> {
  return norm(LAYERS * 2);
}
