import type { Command } from 'commander';
import { architectures } from '../model/architectures.ts';
import { bytesOf, findPulled, KNOWN_LIMINE, pullLimine } from '../pull/limine.ts';
import { findModel, knownModels } from '../pull/models.ts';
import { listReferences } from '../pull/pulled.ts';
import { obtainModel, transfer } from './modelOptions.ts';
import { formatBytes, print } from './terminal.ts';

/** Not a model, but no package of Debian's either. */
const LIMINE = 'limine';

const HELP = `
What can be fetched:
  smollm2-135m-instruct      a name that \`mu pull\` lists
  hf:OWNER/REPO:QUANT        from Hugging Face; without :QUANT Q4_K_M, else Q8_0
  hf:OWNER/REPO/FILE.gguf    the same, one file
  https://HOST/FILE.gguf     from anywhere
  limine                     a boot loader

Of a split model all parts are fetched. Ctrl-C stops; the next try goes on from what has arrived.
HF_TOKEN is a token for repositories that need one, HF_ENDPOINT another hub than huggingface.co.`;

export function configure(command: Command): void {
  command
    .argument('[name]', 'what to fetch; without it, list what is known and what is here')
    .addHelpText('after', HELP)
    .action((name?: string) => (name === undefined ? list() : pull(name)));
}

async function list(): Promise<void> {
  for (const [name, model] of Object.entries(knownModels)) {
    const path = (await findModel(name)) ?? 'not fetched yet';
    const note = Object.hasOwn(architectures, model.architecture) ? '' : '  (cannot be run yet)';
    process.stdout.write(
      `${name}  ${formatBytes(model.bytes)}  ${model.license}  ${path}${note}\n`,
    );
  }
  for (const { text, bytes, path } of await listReferences()) {
    print(`${text}  ${formatBytes(bytes)}  ${path}\n`);
  }
  const { version, license } = KNOWN_LIMINE;
  const size = formatBytes(bytesOf(KNOWN_LIMINE));
  const path = findPulled() ?? 'not fetched yet';
  process.stdout.write(`${LIMINE}  ${size}  ${license}  ${path}  (boot loader ${version})\n`);
}

async function pull(name: string): Promise<void> {
  if (name.toLowerCase() === LIMINE) {
    const folder = await transfer(LIMINE, (options) => pullLimine(options));
    process.stdout.write(`${folder}\n`);
    return;
  }
  process.stdout.write(`${await obtainModel(name)}\n`);
}
