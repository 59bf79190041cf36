import type { FamilyKeys } from '../architectures.ts';
import { ModelError } from '../modelError.ts';
import type { Metadata } from './metadata.ts';

/** Keys of every file that change results unless they have this value. */
const neutralValues: FamilyKeys['neutral'] = {
  'general.type': 'model',
  'general.quantization_version': 2,
};

/**
 * Refuses every key that could change what the model computes and that this project does not know.
 * prefix: such as `llama.`
 */
export function checkForeignKeys(metadata: Metadata, prefix: string, keys: FamilyKeys): void {
  const read = [keys.read, keys.rope, keys.parts ?? {}].flatMap((names) => Object.values(names));
  const settled = new Set([...read, ...keys.harmless].map((key) => prefix + key));
  const neutral = { ...withPrefix(prefix, keys.neutral), ...neutralValues };
  const problems: ModelError[] = [];
  for (const [key, value] of Object.entries(neutral)) {
    if (!metadata.has(key) || settled.has(key)) continue;
    const found =
      typeof value === 'number'
        ? metadata.float(key, { min: -Infinity, max: Infinity })
        : typeof value === 'boolean'
          ? metadata.boolean(key, value)
          : metadata.text(key);
    if (found === value) continue;
    const remedy = 'this is not computed yet: take a model without it; README.md has a list';
    const error = metadata.error(key, metadata.describe(key), `${value} or no such key`, remedy);
    problems.push(error);
  }
  for (const key of metadata.keys()) {
    if (!key.startsWith(prefix) || settled.has(key) || Object.hasOwn(neutral, key)) continue;
    const remedy = 'it is unknown here and could change the results';
    problems.push(metadata.error(key, metadata.describe(key), 'no such key', remedy));
  }
  if (problems.length > 0) throw new ModelError(problems.flatMap(({ problems }) => problems));
}

function withPrefix<T>(prefix: string, values: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value]));
}
