import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { formatDivergence, formatPerplexity } from '../measure/formatFigures.ts';
import { encodeText, packFor, startTokenOf, withEvaluator } from '../measure/guestPrograms.ts';
import { type LogitsReader, openLogitsFile } from '../measure/logitsFile.ts';
import {
  type Chunks,
  cutIntoChunks,
  type Evaluator,
  measureDivergence,
  measurePerplexity,
} from '../measure/perplexity.ts';
import type { DivergenceFigures, PerplexityFigures } from '../measure/statistics.ts';
import type { CacheType } from '../plan/sizes.ts';
import type { PackRequest } from '../stacks/prepare.ts';
import { defaultThreads } from '../stacks/process.ts';
import { ensureTools } from '../toolchain/install.ts';
import type { VariantName } from '../toolchain/variants.ts';
import { MODEL_HELP, requestPack } from './modelOptions.ts';
import { addOptions, integer, option } from './options.ts';
import { formatMilliseconds, say } from './terminal.ts';

interface Options {
  file?: string;
  ctxSize: number;
  chunks?: number;
  klDivergenceBase?: string;
  klDivergence?: boolean;
  threads?: number;
  tokenizer?: string;
  kv?: CacheType;
  cpu?: VariantName;
  json?: boolean;
}

const HELP = `
The chunks, figures and base files are llama-perplexity's, so that numbers compare and files can be exchanged:
the text is cut into chunks of -c tokens, each is evaluated in a fresh context, and the second half is scored.

  mu perplexity BIG.gguf -f TEXT --kl-divergence-base base.kld                  writes BIG's log-probabilities
  mu perplexity SMALL.gguf --kl-divergence-base base.kld --kl-divergence        how far SMALL is from BIG

With --json one object goes to stdout:
  ppl, pplError                  perplexity, standard error
  tokens, chunks, contextSize    tokens scored, chunks, -c
  with --kl-divergence also:
  base.ppl, base.pplError        the base's own perplexity
  correlation                    of the two -ln p, in percent
  logRatio, ratio, excess        ln(ppl / base), ppl / base, ppl - base: { mean, error }
  kld                            KL divergence in nats: { mean, error, min, max, median, percentiles }
  dp                             p - base p of the text's token, in percentage points: as kld, and rms, rmsError
  sameTop, sameTopError          tokens whose most likely candidate is the base's, in percent`;

export function configure(command: Command): void {
  command
    .argument('<model>', MODEL_HELP)
    .option('-f, --file <file>', 'the text')
    .addOption(
      option('ctxSize', { help: 'positions of a chunk', parse: integer(16), default: 512 }),
    )
    .option('--chunks <count>', 'only the first chunks', integer(1))
    .option('--kl-divergence-base <file>', 'log-probabilities: written, or read to compare with')
    .option('--kl-divergence', 'compare with the base file, on its text')
    .addHelpText('after', HELP)
    .action(run);
  addOptions(command, 'threads', 'tokenizer', 'kv', 'cpu', 'json');
}

async function run(model: string, options: Options): Promise<void> {
  const { file, klDivergenceBase: basePath } = options;
  if (options.klDivergence) {
    if (basePath === undefined) {
      throw new Error(
        '--kl-divergence: expected --kl-divergence-base FILE, the file to compare with',
      );
    }
    const base = await openLogitsFile(basePath);
    try {
      await compare(model, options, base, basePath);
    } finally {
      await base.close();
    }
  } else {
    if (file === undefined) throw new Error('expected a text: -f FILE');
    await measure(model, options, await readText(file));
  }
}

/** llama.cpp drops one line end at the end of a prompt file. */
async function readText(path: string): Promise<Uint8Array> {
  const text = await readFile(path);
  return text.at(-1) === 0x0a ? text.subarray(0, -1) : text;
}

async function measure(model: string, options: Options, text: Uint8Array): Promise<void> {
  const request = await prepare(model, options);
  const tokens = await encodeText(request, text);
  const pack = await packFor(request, options.ctxSize);
  const chunks = cutIntoChunks(tokens, options.ctxSize, options.chunks, startTokenOf(pack));
  const figures = await withEvaluator(
    pack,
    threadsOf(options),
    (evaluator: Evaluator) =>
      measurePerplexity(evaluator, chunks, options.klDivergenceBase, createProgress(chunks)),
    options.cpu,
  );
  print(options, chunks, figures, formatPerplexity(figures));
}

async function compare(
  model: string,
  options: Options,
  base: LogitsReader,
  basePath: string,
): Promise<void> {
  const pack = await packFor(await prepare(model, options), base.contextSize);
  if (pack.model.vocabulary !== base.vocabulary) {
    throw new Error(
      `${basePath}: vocabulary: found ${base.vocabulary}, expected the model's ${pack.model.vocabulary}; ` +
        'take a base file that was made from a model with the same vocabulary',
    );
  }
  const count = Math.min(base.chunks, options.chunks ?? base.chunks);
  const chunks = { ...base, count, startToken: startTokenOf(pack) };
  const figures = await withEvaluator(
    pack,
    threadsOf(options),
    (evaluator: Evaluator) => measureDivergence(evaluator, chunks, base, createProgress(chunks)),
    options.cpu,
  );
  print(options, chunks, figures, formatDivergence(figures));
}

async function prepare(model: string, options: Options): Promise<PackRequest> {
  ensureTools(['clang', 'lld'], say);
  return requestPack(model, { tokenizer: options.tokenizer, kv: options.kv });
}

function threadsOf(options: Options): number {
  return options.threads ?? defaultThreads();
}

/** On a terminal: one line that is overwritten, with the figures so far and the time to go. */
function createProgress({ count }: Chunks) {
  const start = performance.now();
  return (done: number, figures: PerplexityFigures | DivergenceFigures): void => {
    if (!process.stderr.isTTY) return;
    const parts = [`chunk ${done} of ${count}`, `perplexity ${figures.ppl.toFixed(4)}`];
    if ('kld' in figures) {
      parts.push(`KLD ${figures.kld.mean.toFixed(6)}`, `same top ${figures.sameTop.toFixed(2)} %`);
    }
    const left = ((performance.now() - start) / done) * (count - done);
    parts.push(done < count ? `${formatMilliseconds(left)} to go` : 'done');
    process.stderr.write(`\r\x1b[K${parts.join(', ')}${done < count ? '' : '\n'}`);
  };
}

function print(
  options: Options,
  { count, contextSize }: Chunks,
  figures: PerplexityFigures,
  text: string,
): void {
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ ...figures, chunks: count, contextSize }, null, 2)}\n`,
    );
  } else {
    const scope = `${figures.tokens} tokens scored, in ${count} chunks of ${contextSize}`;
    process.stdout.write(`${text}\n${scope}\n`);
  }
}
