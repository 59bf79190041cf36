import * as jinja from '@huggingface/jinja';

/**
 * The parts of the package that this file uses; its own declarations of them do not resolve under
 * Node's rules.
 */
interface Parts {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown;
  parse(tokens: unknown): unknown;
  Environment: new () => { set(name: string, value: unknown): void };
  Interpreter: new (
    environment: unknown,
  ) => {
    run(program: unknown): { value: unknown };
    evaluate(statement: unknown, environment: unknown): { value: unknown };
  };
}

const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Parts;

/** What a template may cost: it comes out of a file that nobody has vouched for. */
const MAX_STEPS = 200_000;
const MAX_RANGE = 10_000;
const MAX_TEXT = 1 << 20;
const MAX_NUMBER = 1_000_000;

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/**
 * A conversation as the template writes it, up to where the next answer begins. Throws what the
 * template raises, and when it takes too many steps or makes too long a text. The result depends on
 * the arguments alone: a template that asks for the date gets none.
 */
export function renderChat(
  template: string,
  messages: Message[],
  variables: { bos_token: string; eos_token: string },
): string {
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  const environment = new Environment();
  const values = { ...globals, ...variables, messages, add_generation_prompt: true };
  for (const [name, value] of Object.entries(values)) environment.set(name, value);
  return String(new BoundedInterpreter(environment).run(program).value);
}

class BoundedInterpreter extends Interpreter {
  #steps = 0;

  override evaluate(statement: unknown, environment: unknown): { value: unknown } {
    if (++this.#steps > MAX_STEPS) throw new Error('the template runs too long');
    const result = super.evaluate(statement, environment);
    const { value } = result;
    if (typeof value === 'string' && value.length > MAX_TEXT) {
      throw new Error('the template makes too long a text');
    }
    if (typeof value === 'number' && Math.abs(value) > MAX_NUMBER) {
      throw new Error(`the template counts to ${value}`);
    }
    return result;
  }
}

/** What Jinja and the usual chat template environments define, without the clock (strftime_now). */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception(message: unknown) {
    throw new Error(`the template says: ${message}`);
  },
  range(...bounds: number[]) {
    const [start, end] = bounds.length > 1 ? bounds : [0, bounds[0]];
    const step = bounds[2] ?? 1;
    const count = Math.max(0, Math.ceil((end - start) / step));
    if (!(count <= MAX_RANGE)) throw new Error('the template counts too far');
    return Array.from({ length: count }, (_, i) => start + i * step);
  },
};
