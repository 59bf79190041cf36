/** The forward pass for people: one page that shows the whole model. */
import type { Buffer } from '../plan/buffers.ts';
import type { ForwardPlan, Operation, PlannedMatrix, Step } from '../plan/forward.ts';

export function formatPlan(plan: ForwardPlan): string[] {
  const { embedding, groups, output } = plan;
  return [
    'forward pass',
    ...formatStep(embedding),
    ...groups.flatMap(({ layers, steps }) => [
      `  ${nameLayers(layers)}, between two barriers`,
      ...steps.flatMap(formatStep),
    ]),
    '  for a token whose logits are asked for',
    ...formatStep(output),
    '',
    ...formatTotals(plan),
    '',
    `buffers (${plan.context} positions)`,
    ...plan.buffers.map(formatBuffer),
  ];
}

/** Name and cost; what it does; its matrices; its buffers. */
function formatStep(step: Step): string[] {
  const { name, operations, matrices, reads, writes, weightBytes, flops } = step;
  const cost = weightBytes > 0 ? `${megabytes(weightBytes)} MB` : '';
  const work = flops > 0 ? `${(flops / 1e6).toFixed(2)} MFLOP` : '';
  const row = (label: string, text: string) => `    ${label.padEnd(17)}${text}`;
  return [
    `${row(name, joinOperations(operations)).padEnd(72)}${cost.padStart(11)}${work.padStart(15)}`.trimEnd(),
    ...(matrices.length > 0 ? [row('', matrices.map(formatMatrix).join(', '))] : []),
    row('', `${reads.join(', ') || 'tokens'} → ${writes.join(', ')}`),
  ];
}

/** rmsNorm · 3 matmul · 2 rope: neighbours that are alike once. */
function joinOperations(operations: readonly Operation[]): string {
  const runs: { op: string; count: number }[] = [];
  for (const { op } of operations) {
    const last = runs.at(-1);
    if (last?.op === op) last.count++;
    else runs.push({ op, count: 1 });
  }
  return runs.map(({ op, count }) => (count > 1 ? `${count} ${op}` : op)).join(' · ');
}

function formatMatrix({ role, type, rows, columns }: PlannedMatrix): string {
  return `${role} ${type} ${rows} × ${columns}`;
}

/** [0, 1, 2, 5] → `layers 0-2, 5: each` */
function nameLayers(layers: readonly number[]): string {
  const runs: [first: number, last: number][] = [];
  for (const layer of layers) {
    const run = runs.at(-1);
    if (run?.[1] === layer - 1) run[1] = layer;
    else runs.push([layer, layer]);
  }
  const names = runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  return `${layers.length === 1 ? 'layer' : 'layers'} ${names.join(', ')}`;
}

function formatTotals({ groups, output, cacheBytesPerPosition }: ForwardPlan): string[] {
  const sum = (of: (step: Step) => number) =>
    groups.reduce(
      (total, { layers, steps }) =>
        total + layers.length * steps.reduce((sum, step) => sum + of(step), 0),
      of(output),
    );
  const bytes = sum((step) => step.weightBytes);
  const flops = sum((step) => step.flops) / 1e6;
  const perPosition = sum((step) => step.flopsPerPosition) / 1e3;
  return [
    `  a token reads ${megabytes(bytes)} MB of weights and computes ${flops.toFixed(1)} MFLOP;`,
    `  for each position that it sees ${(cacheBytesPerPosition / 1e3).toFixed(1)} KB and ${perPosition.toFixed(1)} KFLOP`,
  ];
}

function formatBuffer({ name, of, shape, what, isPerCore, within }: Buffer): string {
  const type = `${of}${shape.map((size) => `[${size}]`).join('')}`;
  const where = isPerCore ? '; each core has one' : within ? `; a part of ${within}` : '';
  return `    ${name.padEnd(17)}${type.padEnd(26)}${what}${where}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
