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

/** A model file that cannot be used. `message` is one line for people; `problem` has its parts. */
export class ModelError extends Error {
  readonly problem: ModelProblem;

  constructor(problem: ModelProblem, options?: ErrorOptions) {
    const remedy = problem.remedy ? `; ${problem.remedy}` : '';
    super(
      `${problem.file}: ${problem.field}: found ${problem.found}, expected ${problem.expected}${remedy}`,
      options,
    );
    this.name = 'ModelError';
    this.problem = problem;
  }
}

/** A text from a hostile file for a message: short, printable, one line. */
export function quote(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}…` : text;
  return JSON.stringify(short.replace(/[^\x20-\x7e…]/g, '?'));
}
