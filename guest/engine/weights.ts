/** Where the matrices and norms of the model lie in the pack. */

import { packLength, packStart } from 'machine';
import {
  DIM,
  LAYERS,
  MATRIX_OFFSETS,
  MATRIX_TYPES,
  PACK_BYTES,
  PACK_ID,
  WEIGHTS_NORMS,
} from 'model';

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
const ID_OFFSET: usize = 8; // in the pack's header

/** Whether the pack is the one that this program was compiled for: its size, and the id of its constants. */
export function isPackOurs(): bool {
  return packLength() >= PACK_BYTES && load<u64>(packStart(), ID_OFFSET) == PACK_ID;
}

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
