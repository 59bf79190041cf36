/** What the files of a split model are called: `NAME-00002-of-00003.gguf`, as llama.cpp has it. */

export interface PartName {
  /** What stands before the numbers, with its folder or address. */
  name: string;
  /** From 1. */
  part: number;
  /** How many there are in all. */
  count: number;
}

/** The largest sets that people publish have some 200 parts. */
export const MOST_PARTS = 512;

/** Undefined: the name of a whole file. */
export function parsePartName(path: string): PartName | undefined {
  const [, name, part, count] = /^(.*[^/])-(\d{5})-of-(\d{5})\.gguf$/s.exec(path) ?? [];
  if (name === undefined) return undefined;
  const parsed = { name, part: Number(part), count: Number(count) };
  const isSensible = parsed.part >= 1 && parsed.part <= parsed.count && parsed.count <= MOST_PARTS;
  return isSensible ? parsed : undefined;
}

/** The names of all parts of the model that a file is a part of; of a whole one its own alone. */
export function partsOf(path: string): string[] {
  const parsed = parsePartName(path);
  if (parsed === undefined) return [path];
  const { name, count } = parsed;
  const digits = (number: number) => String(number).padStart(5, '0');
  return Array.from(
    { length: count },
    (_, i) => `${name}-${digits(i + 1)}-of-${digits(count)}.gguf`,
  );
}
