/**
 * The guest's transformer is written by hand, the plan as data: here they are held together. What
 * stands between two barriers of a layer is a step of the plan, and the transformer's buffers are
 * the plan's.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Model, openModel } from '../../src/model/index.ts';
import { createPack } from '../../src/pack/index.ts';
import { type ForwardPlan, type Operation, planForward } from '../../src/plan/forward.ts';
import { KV_GROUP } from '../../src/plan/sizes.ts';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';
import { familyModels } from '../model/familyModels.ts';
import { makeTinyGguf, type TinyModel } from '../model/tinyGguf.ts';
import { readGuest } from '../pack/guestModule.ts';

const FILE = 'guest/engine/transformer.ts';
const source = ts.createSourceFile(
  FILE,
  readFileSync(join(PROJECT_ROOT, FILE), 'utf8'),
  ts.ScriptTarget.ESNext,
  true,
);

/** Functions of the transformer by name. */
const functions = new Map(
  source.statements
    .filter(ts.isFunctionDeclaration)
    .map((node) => [node.name?.text ?? '', node] as const),
);

/** Names of the functions that are called in a piece of code, in order. */
function callsIn(node: ts.Node | undefined): string[] {
  const names: string[] = [];
  const visit = (child: ts.Node) => {
    ts.forEachChild(child, visit);
    if (ts.isCallExpression(child)) names.push(child.expression.getText());
  };
  if (node) visit(node);
  return names;
}

/** The same, with what those of this file call in their place. */
function deepCallsIn(name: string): string[] {
  return callsIn(functions.get(name)?.body).flatMap((called) =>
    functions.has(called) ? deepCallsIn(called) : [called],
  );
}

/** The kernels that do an operation. */
const KERNELS: Record<Operation['op'], string[]> = {
  embed: ['dequantizeRow'],
  rmsNorm: ['rmsNorm'],
  headNorm: ['rmsNorm'],
  scale: ['scaleBy'],
  temper: ['scaleBy'],
  softCap: ['softCap'],
  quantize: ['quantizeActivations'],
  matmul: ['matmul'],
  addBias: ['addTo'],
  rope: ['applyRope'],
  storeKv: ['storeKey', 'storeValue'],
  attention: ['attend'],
  add: ['addTo'],
  swiglu: ['glu'],
  geglu: ['glu'],
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mu-transformer-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function withModel<T>(shape: TinyModel, use: (model: Model) => T | Promise<T>): Promise<T> {
  const path = join(folder, 'tiny.gguf');
  writeFileSync(path, makeTinyGguf(shape));
  const model = await openModel(path);
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** Plans of models that have every operation between them: each as it is, and with all scales. */
async function plans(): Promise<ForwardPlan[]> {
  const found: ForwardPlan[] = [];
  for (const [, shape] of familyModels) {
    await withModel({ ...shape, type: 'Q8_0' }, (model) => {
      const config = { ...model.config, scales };
      found.push(planForward(model, 64), planForward({ ...model, config }, 64));
    });
  }
  return found;
}

const scales = {
  ...{ embedding: 2, residual: 2, attention: 2, logits: 2, scoreCap: 2, logitCap: 2 },
  temperature: { growth: 2, length: 2 },
};

test('between two barriers of a layer stands one step, in the plan’s order', async () => {
  // A step that not every model has begins with its own
  const calls = callsIn(functions.get('layersJob')?.body).flatMap((called) => {
    const [first] = callsIn(functions.get(called)?.body);
    return first === 'barrier' ? ['barrier', called] : [called];
  });
  const longest = (await plans()).flatMap(({ groups }) => groups.map(({ steps }) => steps));
  const whole = longest.reduce((a, b) => (b.length > a.length ? b : a));
  expect(calls).toEqual(whole.flatMap(({ name }) => [name, 'barrier']));
  for (const steps of longest) expectInOrder(namesOf(steps), namesOf(whole));
});

const namesOf = (steps: readonly { name: string }[]) => steps.map(({ name }) => name);

/** All of `few` are in `many`, in their order. */
function expectInOrder(few: readonly string[], many: readonly string[], what?: string): void {
  let from = 0;
  for (const one of few) {
    const at = many.indexOf(one, from);
    expect(at, `${what}: ${one} in ${many}`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
}

test('a step calls the kernels of its operations, in their order, and no others', async () => {
  const kernels = new Set(Object.values(KERNELS).flat());
  const planned = new Map<string, Set<string>>();
  for (const { embedding, groups, output } of await plans()) {
    for (const { name, operations } of [
      embedding,
      ...groups.flatMap(({ steps }) => steps),
      output,
    ]) {
      const wanted = [...new Set(operations.flatMap(({ op }) => KERNELS[op]))];
      expectInOrder(wanted, deepCallsIn(name), name);
      planned.set(name, new Set([...(planned.get(name) ?? []), ...wanted]));
    }
  }
  for (const [name, wanted] of planned) {
    const calls = deepCallsIn(name).filter((call) => kernels.has(call));
    expect(new Set(calls), name).toEqual(wanted);
  }
});

const shapes: [string, TinyModel][] = [
  ['quantized', { type: 'Q8_0' }],
  ['padded rows, untied', { dim: 48, heads: 4, kvHeads: 2, hidden: 100, tied: false }],
  ['a narrow feed-forward part', { hidden: 32, type: 'Q4_0' }],
  ['two tables of RoPE', new Map(familyModels).get('gemma3') ?? {}],
];

test.each(shapes)('its buffers are the plan’s: %s', async (_, shape) => {
  const { plan, constants } = await withModel(shape, (model) => createPack(model));
  const transformer = readGuest(FILE, constants);
  const cores = Number(readGuest('guest/machine/pool.ts', constants).constant('MAX_CORES'));
  const line = readGuest('guest/kernels/quantize.ts', constants).bytes('Activations');
  const sizes = { f32: 4, f16: 2, line, group: KV_GROUP + 2 };
  const planned = plan.buffers
    .filter(({ file, within }) => file === FILE && !within)
    .map(({ name, of, shape, isPerCore }) => {
      const values = shape.reduce((product, size) => product * size, isPerCore ? cores : 1);
      return [name, values * sizes[of]] as const;
    });
  const found = transformer.storage().filter(({ type }) => type.startsWith('FixedArray'));
  expect(Object.fromEntries(found.map(({ name, bytes }) => [name, bytes]))) //
    .toEqual(Object.fromEntries(planned));
});
