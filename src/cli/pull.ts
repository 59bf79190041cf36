import type { Command } from 'commander';
import { findModel, knownModels, unknownModel } from '../model/pull.ts';
import { obtainModel } from './modelOptions.ts';
import { formatBytes } from './terminal.ts';

export function registerPull(program: Command): void {
  program
    .command('pull')
    .description('fetch a known model into the cache and print its path')
    .argument('[name]', 'name of the model; without it, list those that are known')
    .action((name?: string) => (name === undefined ? list() : pull(name)));
}

async function list(): Promise<void> {
  for (const [name, model] of Object.entries(knownModels)) {
    const path = (await findModel(name)) ?? 'not fetched yet';
    process.stdout.write(`${name}  ${formatBytes(model.bytes)}  ${model.license}  ${path}\n`);
  }
}

async function pull(name: string): Promise<void> {
  if (!Object.hasOwn(knownModels, name.toLowerCase())) throw unknownModel(name);
  process.stdout.write(`${await obtainModel(name)}\n`);
}
