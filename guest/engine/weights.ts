/** Where the matrices, norms and biases of the model lie in the pack. */

import { packLength, packStart, powerOff, write } from 'machine';
import {
  DIM,
  KEY_NORM_DIM,
  KV_ROW,
  LAYER_NORMS,
  LAYERS,
  MATRIX_OFFSETS,
  MATRIX_TYPES,
  PACK_BYTES,
  PACK_ID,
  QUERY_NORM_DIM,
  QUERY_ROW,
  WEIGHTS_BIASES,
  WEIGHTS_NORMS,
  WEIGHTS_QUERY_KEY_NORMS,
} from 'model';

/**
 * The matrices of a layer, in the order of the pack's tables. Gate and Up of one type share a
 * place, where their tiles take turns.
 */
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

/**
 * The pack's header (docs/pack-format.md): what it is, with the version in the highest byte, then
 * the id of its constants.
 */
const HEADER_BYTES: usize = 64;
const MAGIC: u64 = 0x04006b636170756d; // mupack, 0, 4
const ID_OFFSET: usize = 8;

/** Ends the program if the pack is not the one that it was compiled for. */
export function requirePack(): void {
  if (packLength() < HEADER_BYTES) refuse('is shorter than its header');
  const magic = load<u64>(packStart());
  if (magic << 8 != MAGIC << 8) refuse('is no model pack of ours');
  if (magic != MAGIC) refuse('has a version that this program does not read');
  if (load<u64>(packStart(), ID_OFFSET) != PACK_ID) refuse('belongs to another program');
  if (packLength() < PACK_BYTES) refuse('is cut off: its end is missing');
}

function refuse(problem: string): void {
  tell('\npanic: the model pack ');
  tell(problem);
  tell('. Build program and pack together: mu build\n');
  powerOff(1);
}

function tell(text: string): void {
  write(utf8(text), text.length);
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

/**
 * Of what goes into half of a layer: 2 · layer is attention, 2 · layer + 1 the feed-forward part.
 * Where HAS_PRE_NORMS.
 */
export function preNorm(half: i32): Ptr<f32> {
  return norm(half * (LAYER_NORMS / 2));
}

/** Of what comes out of it. Where HAS_POST_NORMS. */
export function postNorm(half: i32): Ptr<f32> {
  return norm((half + 1) * (LAYER_NORMS / 2) - 1);
}

export function outputNorm(): Ptr<f32> {
  return norm(LAYERS * LAYER_NORMS);
}

/** f32[QUERY_NORM_DIM], where that is not 0. */
export function queryNorm(layer: i32): Ptr<f32> {
  const at = usize(layer * (QUERY_NORM_DIM + KEY_NORM_DIM) * 4);
  return changetype<Ptr<f32>>(ref(packStart()[WEIGHTS_QUERY_KEY_NORMS + at]));
}

/** f32[KEY_NORM_DIM] */
export function keyNorm(layer: i32): Ptr<f32> {
  return ref(queryNorm(layer)[QUERY_NORM_DIM]);
}

/** f32[QUERY_ROW + 2 × KV_ROW]: of queries, keys, values. Where HAS_QKV_BIAS. */
export function qkvBias(layer: i32): Ptr<f32> {
  const at = usize(layer * (QUERY_ROW + 2 * KV_ROW) * 4);
  return changetype<Ptr<f32>>(ref(packStart()[WEIGHTS_BIASES + at]));
}
