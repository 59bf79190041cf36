/**
 * The table of CPU variants: what all rows must be, and that a row and its dot products are all
 * that a variant takes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileToC, formatDiagnostics } from '../../src/compiler/index.ts';
import { preparePack } from '../../src/stacks/prepare.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { compileArguments, linkArguments, runTool } from '../../src/toolchain/clang.ts';
import { guestModules, unitOf } from '../../src/toolchain/guest.ts';
import {
  BASE_VARIANT,
  dotsOf,
  VARIANT_NAMES,
  VARIANTS,
  type Variant,
  variantConstants,
  variantNamed,
  variantsOf,
} from '../../src/toolchain/variants.ts';
import { noVariant } from '../engine/guests.ts';
import { makeTinyGguf } from '../model/tinyGguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'mu-variants-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a row has its file of dot products, and a file its row', () => {
  const files = readdirSync(join(PROJECT_ROOT, 'guest/kernels/dots'));
  expect(files.toSorted()).toEqual(VARIANT_NAMES.map((name) => `${name}.ts`).toSorted());
});

test('an architecture’s first variant runs wherever the others do', () => {
  for (const arch of new Set(VARIANTS.map(({ arch }) => arch))) {
    const [base, ...others] = variantsOf(arch);
    expect(base.features).toEqual([]);
    for (const { cpuinfo } of others) {
      expect(base.cpuinfo.filter((flag) => !cpuinfo.includes(flag))).toEqual([]);
    }
  }
});

test('a guest asks the CPU for a feature wherever /proc/cpuinfo has to show more than the first', () => {
  expect(variantConstants(VARIANTS)).toMatchObject({
    VARIANT_NAMES: VARIANTS.map(({ name }) => name),
    VARIANT_NEEDS: { type: 'u32', value: [0, 0, 1, 2] },
    FEATURE_AVX_VNNI: { value: 1 },
    FEATURE_AVX512_VNNI: { value: 2 },
  });
  for (const { name, cpuinfo, features } of VARIANTS as readonly Variant[]) {
    const needsMore = cpuinfo.length > BASE_VARIANT.cpuinfo.length;
    expect([name, features.length > 0]).toEqual([name, needsMore]);
  }
});

/** A program of all these variants, compiled and run: which of them it says that it takes. */
async function chosenOf(variants: readonly Variant[]): Promise<string> {
  const model = join(folder, 'tiny.gguf');
  writeFileSync(model, makeTinyGguf());
  const pack = await preparePack({ model });
  const app = join(import.meta.dirname, '../engine/apps/variant.ts');
  const { entry, modules } = guestModules('process', app);
  const { c, units, diagnostics } = compileToC({
    entry,
    modules: { ...modules, model: pack.constants, variants: variantConstants(variants) },
    target: { arch: 'x86_64' },
    // Their dot products are those of avx2.ts, since they have no file
    units: variants
      .slice(1)
      .map((variant) => ({ ...unitOf(variant), modules: { dots: dotsOf(variantNamed('avx2')) } })),
  });
  expect(formatDiagnostics(diagnostics)).toBe('');
  const objects = [c, ...Object.values(units)].map((text, i) => {
    const [source, object] = ['c', 'o'].map((ending) => join(folder, `${i}.${ending}`));
    writeFileSync(source, text);
    runTool('clang', [...compileArguments('process', variants[i], source, object), '-O1']);
    return object;
  });
  expect(objects).toHaveLength(variants.length);
  const elf = join(folder, 'program');
  runTool('lld', linkArguments('process', objects, elf));
  return spawnSync(elf, [pack.path]).stdout.toString();
}

test('another row is another variant, and the last that can run is taken', async () => {
  const trial = (name: string, features: Variant['features']): Variant => ({
    ...{ ...variantNamed('avx2'), name, features },
  });
  const rows = [BASE_VARIANT, trial('plain', []), trial('both', ['AVX_VNNI', 'AVX512_VNNI'])];
  const hasBoth = !noVariant('avxvnni') && !noVariant('avx512vnni');
  expect(await chosenOf(rows)).toBe(hasBoth ? 'both' : 'plain');
});
