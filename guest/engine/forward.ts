/**
 * The transformer, by the kernels that this CPU runs best. A program may hold the transformer several times, each time compiled for
 * another CPU level, as units beside the main one (docs/language.md); all of them work on the same storage and give the same bits.
 */

import { hasAvx512Vnni, hasAvxVnni, isEmulated, isIntel } from 'machine';
import { HAS_AVX2, HAS_AVX512VNNI, HAS_AVXVNNI } from 'units';
import { wantAhead } from '../kernels/ahead.ts';
import { evaluate as evaluateByMain, logitsOf as logitsByMain } from './transformer.ts';

/** @symbol evaluate_avx2 */
declare function evaluateAvx2(ids: Ptr<i32>, count: i32, position: i32): void;
/** @symbol logitsOf_avx2 */
declare function logitsAvx2(index: i32): Ptr<f32>;
/** @symbol evaluate_avxvnni */
declare function evaluateAvxVnni(ids: Ptr<i32>, count: i32, position: i32): void;
/** @symbol logitsOf_avxvnni */
declare function logitsAvxVnni(index: i32): Ptr<f32>;
/** @symbol evaluate_avx512vnni */
declare function evaluateAvx512Vnni(ids: Ptr<i32>, count: i32, position: i32): void;
/** @symbol logitsOf_avx512vnni */
declare function logitsAvx512Vnni(index: i32): Ptr<f32>;

export enum Unit {
  Unknown,
  Main,
  Avx2,
  AvxVnni,
  Avx512Vnni,
}

let chosen: Unit = Unit.Unknown;

/** The unit that computes here. Asked once: cpuid is slow, in a virtual machine above all. */
export function unitInUse(): Unit {
  if (chosen == Unit.Unknown) {
    chosen = Unit.Main;
    if (isEmulated()) return chosen; // wide instructions are slow there
    wantAhead(isIntel());
    if (HAS_AVX2) chosen = Unit.Avx2; // which all that we run on has
    if (HAS_AVXVNNI && hasAvxVnni()) chosen = Unit.AvxVnni;
    if (HAS_AVX512VNNI && hasAvx512Vnni()) chosen = Unit.Avx512Vnni;
  }
  return chosen;
}

/** As `mu --cpu` and the build name it; `main`: the one that the whole program is compiled for. */
export function unitName(): string {
  switch (unitInUse()) {
    case Unit.Avx2:
      return 'avx2';
    case Unit.AvxVnni:
      return 'avxvnni';
    case Unit.Avx512Vnni:
      return 'avx512vnni';
    default:
      return 'main';
  }
}

/** Runs `count` ≤ BATCH tokens, at positions position …, through all layers: transformer.ts. */
export function evaluate(ids: Ptr<i32>, count: i32, position: i32): void {
  const unit = unitInUse();
  if (HAS_AVX512VNNI && unit == Unit.Avx512Vnni) evaluateAvx512Vnni(ids, count, position);
  else if (HAS_AVXVNNI && unit == Unit.AvxVnni) evaluateAvxVnni(ids, count, position);
  else if (HAS_AVX2 && unit == Unit.Avx2) evaluateAvx2(ids, count, position);
  else evaluateByMain(ids, count, position);
}

/** Logits f32[VOCABULARY] that follow the index-th token of the last `evaluate`. They stand until the next call. */
export function logitsOf(index: i32): Ptr<f32> {
  const unit = unitInUse();
  if (HAS_AVX512VNNI && unit == Unit.Avx512Vnni) return logitsAvx512Vnni(index);
  if (HAS_AVXVNNI && unit == Unit.AvxVnni) return logitsAvxVnni(index);
  if (HAS_AVX2 && unit == Unit.Avx2) return logitsAvx2(index);
  return logitsByMain(index);
}
