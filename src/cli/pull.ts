import type { Command } from 'commander';
import { bytesOf, findPulled, KNOWN_LIMINE, pullLimine } from '../pull/limine.ts';
import { findModel, knownModels, unknownModel } from '../pull/models.ts';
import { obtainModel, transfer } from './modelOptions.ts';
import { formatBytes } from './terminal.ts';

/** Not a model, but no package of Debian's either. */
const LIMINE = 'limine';

export function configure(command: Command): void {
  command
    .argument('[name]', 'name of the model, or limine; without it, list what is known')
    .action((name?: string) => (name === undefined ? list() : pull(name)));
}

async function list(): Promise<void> {
  for (const [name, model] of Object.entries(knownModels)) {
    const path = (await findModel(name)) ?? 'not fetched yet';
    process.stdout.write(`${name}  ${formatBytes(model.bytes)}  ${model.license}  ${path}\n`);
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
  if (!Object.hasOwn(knownModels, name.toLowerCase())) throw unknownModel(name);
  process.stdout.write(`${await obtainModel(name)}\n`);
}
