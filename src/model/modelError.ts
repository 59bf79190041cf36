/**
 * Data of a ModelError: which file, which field of it, what was there, what was expected and what a
 * person can do.
 */
export interface ModelProblem {
  file: string;
  /**
   * The format's own name of the field, such as `llama.attention.head_count` or
   * `tensor blk.0.attn_q.weight`.
   */
  field: string;
  found: string;
  expected: string;
  /** What to do about it, a sentence. */
  remedy?: string;
}

/**
 * A model file that cannot be used. `message` is one line for people with all that is wrong, and
 * what to do about the first of it.
 */
export class ModelError extends Error {
  /** Of one file; the one to look at first is the first. */
  readonly problems: readonly ModelProblem[];

  constructor(problem: ModelProblem | readonly ModelProblem[], options?: ErrorOptions) {
    const problems = [problem].flat();
    const [{ file, remedy }] = problems;
    const statements = problems.map(
      ({ field, found, expected }) => `${field}: found ${found}, expected ${expected}`,
    );
    super([`${file}: ${statements[0]}`, ...statements.slice(1), remedy ?? []].flat().join('; '), {
      ...options,
    });
    this.name = 'ModelError';
    this.problems = problems;
  }
}

/** A text from a hostile file for a message: short, printable, one line. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(short.replace(/[^\x20-\x7e…]/g, '?'));
}
