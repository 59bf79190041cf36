/** Splits a model as llama-gguf-split does: the first part has all metadata, others three keys. */
import type { GgufContent, GgufTensor, GgufValue } from './ggufWriter.ts';
import { writeGguf } from './ggufWriter.ts';

export interface Split {
  name: string;
  content: GgufContent;
}

/** So many parts; `NAME-00001-of-0000N.gguf`. withoutFirst: the first part has no tensors. */
export function splitContent(
  { metadata, tensors }: GgufContent,
  name: string,
  count: number,
  withoutFirst = false,
): Split[] {
  const holders = withoutFirst ? count - 1 : count;
  const size = Math.ceil(tensors.length / holders);
  return Array.from({ length: count }, (_, i) => {
    const at = withoutFirst ? i - 1 : i;
    const own: Record<string, GgufValue> = {
      'split.no': { type: 'u16', value: i },
      'split.count': { type: 'u16', value: count },
      'split.tensors.count': { type: 'i32', value: tensors.length },
    };
    const some: readonly GgufTensor[] = at < 0 ? [] : tensors.slice(at * size, (at + 1) * size);
    return {
      name: partName(name, i + 1, count),
      content: { metadata: i === 0 ? { ...metadata, ...own } : own, tensors: some },
    };
  });
}

export function partName(name: string, part: number, count: number): string {
  const digits = (number: number) => String(number).padStart(5, '0');
  return `${name}-${digits(part)}-of-${digits(count)}.gguf`;
}

export function writeParts(
  parts: readonly Split[],
  put: (name: string, bytes: Uint8Array) => string,
): string[] {
  return parts.map(({ name, content }) => put(name, writeGguf(content)));
}
