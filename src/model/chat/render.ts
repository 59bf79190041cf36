import * as jinja from '@huggingface/jinja';
import { formatDate } from './date.ts';
import { thinkingVariables } from './thinking.ts';

/** What a template may cost: it comes out of a file that nobody has vouched for. */
const MAX_STEPS = 100_000;
const MAX_STEPS_A_MESSAGE = 20_000;
const MAX_RANGE = 10_000;
const MAX_TEXT = 1 << 22;
const MAX_NUMBER = 1_000_000;

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The model's own pieces, as a template names them. */
export interface TokenTexts {
  bos_token: string;
  eos_token: string;
}

/** What people may choose, where the template asks for it. */
export interface ChatChoices {
  /** What the template takes for today, YYYY-MM-DD. */
  date: string;
  /** Whether the model thinks before it answers; absent: as the template has it by itself. */
  thinking?: boolean;
}

/**
 * Without tools and documents, which are none in Hugging Face's transformers. Templates that were
 * written for tools alone want empty lists. `functions` and `datetime` are firefunction's, as
 * llama.cpp sets them (common/chat.cpp).
 */
const WITHOUT_TOOLS = [
  () => ({ tools: null, documents: null }),
  (date: string) => ({
    ...{ tools: [], documents: [], functions: '' },
    datetime: formatDate(date, '%b %d %Y %H:%M:%S GMT'),
  }),
];

/** A chat template. Its result depends on what it is given alone: nothing tells it the time. */
export class ChatTemplate {
  readonly source: string;
  readonly choices: ChatChoices;
  readonly #tokens: TokenTexts;
  readonly #program: Node;
  readonly #variables: Record<string, unknown>;
  #literals?: string[];

  /** Throws where it is no Jinja that we know. */
  constructor(source: string, tokens: TokenTexts, choices: ChatChoices) {
    this.source = source;
    this.#program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    this.choices = choices;
    this.#tokens = tokens;
    this.#variables = {
      ...globals,
      ...tokens,
      ...thinkingVariables(source, choices.thinking),
      strftime_now: (format: unknown) => formatDate(choices.date, String(format)),
    };
  }

  /**
   * A conversation, up to where the next answer begins. Throws what the template raises, and when
   * it takes too many steps or makes too long a text.
   */
  render(messages: Message[]): string {
    let reason: unknown;
    for (const without of WITHOUT_TOOLS) {
      try {
        return this.#render(messages, without(this.choices.date));
      } catch (error) {
        if (error instanceof LimitError) throw error;
        reason ??= error;
      }
    }
    throw reason;
  }

  #render(messages: Message[], more: Record<string, unknown>): string {
    const environment = new Environment();
    const values = { ...this.#variables, ...more, messages, add_generation_prompt: true };
    for (const [name, value] of Object.entries(values)) environment.set(name, value);
    const most = MAX_STEPS + MAX_STEPS_A_MESSAGE * messages.length;
    return String(new BoundedInterpreter(environment, most).run(this.#program).value);
  }

  /** The same template, told something else. */
  with(choices: Partial<ChatChoices>): ChatTemplate {
    return new ChatTemplate(this.source, this.#tokens, { ...this.choices, ...choices });
  }

  /** Every text that stands in it in quotes. */
  get literals(): string[] {
    this.#literals ??= literalsOf(this.#program);
    return this.#literals;
  }
}

function literalsOf(program: Node): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (value instanceof Map) for (const pair of value) visit(pair);
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      const { type, value: text } = value as Node;
      if (type === 'StringLiteral') found.add(text as string);
      else Object.values(value).forEach(visit);
    }
  };
  visit(program);
  return [...found];
}

/**
 * The parts of the package that this file uses; its own declarations of them do not resolve under
 * Node's rules.
 */
interface Parts {
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown;
  parse(tokens: unknown): Node;
  Environment: new () => { set(name: string, value: unknown): void };
  Interpreter: new (
    environment: unknown,
  ) => {
    run(program: unknown): Value;
    evaluate(statement: Node | undefined, environment: unknown): Value;
  };
}

/** A node of the parsed template: the fields of those that we look into. */
interface Node {
  type: string;
  value?: unknown;
  callee?: Node;
  args?: Node[];
  object?: Node;
  property?: Node;
  operand?: Node;
  filter?: Node;
}

interface Value {
  type: string;
  value: unknown;
}

const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Parts;

class LimitError extends Error {}

/** Keeps a template within limits, and adds what real templates use that the package lacks. */
class BoundedInterpreter extends Interpreter {
  #stepsLeft: number;

  constructor(environment: unknown, mostSteps: number) {
    super(environment);
    this.#stepsLeft = mostSteps;
  }

  override evaluate(statement: Node | undefined, environment: unknown): Value {
    if (this.#stepsLeft-- === 0) throw new LimitError('the template runs too long');
    const result =
      this.#evaluateMore(statement, environment) ?? super.evaluate(statement, environment);
    const { value } = result;
    if (typeof value === 'string' && value.length > MAX_TEXT) {
      throw new LimitError('the template makes too long a text');
    }
    if (typeof value === 'number' && Math.abs(value) > MAX_NUMBER) {
      throw new LimitError(`the template counts to ${value}`);
    }
    return result;
  }

  #evaluateMore(statement: Node | undefined, environment: unknown): Value | undefined {
    const make = (type: string, value: unknown) => super.evaluate({ type, value }, environment);
    if (statement === undefined) return undefined; // a slice's end that is left out
    if (statement.type === 'CallExpression' && nameOf(statement.callee?.property) === 'format') {
      // 'a{}b'.format(c): Hunyuan 3
      const text = this.evaluate(statement.callee?.object as Node, environment);
      if (text.type !== 'StringValue') return undefined;
      const given = (statement.args ?? []).map((arg) => this.evaluate(arg, environment).value);
      return make(
        'StringLiteral',
        String(text.value).replace(/\{\}/g, () => String(given.shift() ?? '')),
      );
    }
    if (statement.type === 'ObjectLiteral') {
      // { 512: 128 }: Seed-OSS. Keys are texts here, and sorted as numbers below.
      const pairs = [...(statement.value as Map<Node, Node>)];
      if (!pairs.some(([key]) => key.type === 'IntegerLiteral')) return undefined;
      const textOf = (key: Node) =>
        key.type === 'IntegerLiteral' ? { type: 'StringLiteral', value: String(key.value) } : key;
      return make('ObjectLiteral', new Map(pairs.map(([key, value]) => [textOf(key), value])));
    }
    if (statement.type === 'FilterExpression' && nameOf(statement.filter) === 'dictsort') {
      const object = this.evaluate(statement.operand as Node, environment);
      if (object.type !== 'ObjectValue') return undefined;
      const entries = [...(object.value as Map<string, Value>)];
      if (!entries.every(([key]) => /^\d+$/.test(key))) return undefined;
      entries.sort(([a], [b]) => Number(a) - Number(b));
      const list = (values: Value[]) => Object.assign(make('ArrayLiteral', []), { value: values });
      return list(
        entries.map(([key, value]) => list([make('IntegerLiteral', Number(key)), value])),
      );
    }
    return undefined;
  }
}

function nameOf(node?: Node): unknown {
  return node?.type === 'Identifier' ? node.value : undefined;
}

/** What Jinja and the usual chat template environments define. */
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
    if (!(count <= MAX_RANGE)) throw new LimitError('the template counts too far');
    return Array.from({ length: count }, (_, i) => start + i * step);
  },
};
