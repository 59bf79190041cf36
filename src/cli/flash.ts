import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { type Disk, readDisk } from '../image/disk.ts';
import { flash, imageBytes, requireFit } from '../image/flash.ts';
import { readManifest } from '../stacks/manifest.ts';
import { createProgress, formatBytes, Interrupted, say } from './terminal.ts';

interface FlashOptions {
  yes?: boolean;
  fixedDisk?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<image>', 'an .img or .iso, or the folder that `mu build` wrote it into')
    .argument('<device>', 'a whole disk, like /dev/sdb; everything on it is lost')
    .option('--yes', 'do not ask')
    .option('--fixed-disk', 'also a disk that does not call itself removable')
    .action(run);
}

async function run(path: string, device: string, { yes, fixedDisk }: FlashOptions): Promise<void> {
  if (process.platform !== 'linux') {
    throw new Error('mu flash knows the disks of Linux only; elsewhere write the .img by dd');
  }
  const image = await findImage(path);
  const bytes = await imageBytes(image);
  const disk = readDisk(device);
  requireFit(image, bytes, disk, fixedDisk ?? false);
  say(`${image}, ${formatBytes(bytes)}, to ${describeDisk(disk)}`);
  if (!yes) await confirm(disk);
  await write(image, disk);
  say(`${disk.path} holds ${image}, read back and compared. It can be pulled out.`);
}

/** A folder's only image for disks. */
async function findImage(path: string): Promise<string> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const { files } = await readManifest(path);
  const image = files.find(({ name }) => /\.(img|iso)$/.test(name));
  if (image) return join(path, image.name);
  throw new Error(`${path} has no image for disks: build it with --format img`);
}

function describeDisk({ path, bytes, model, serial }: Disk): string {
  return `${path}: ${model || 'model unknown'}, ${formatBytes(bytes)}, serial ${serial || 'unknown'}`;
}

async function confirm({ path }: Disk): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new Error(`nobody can be asked whether ${path} may be overwritten: --yes if it may`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    terminal.once('close', () => resolve('')); // Ctrl-C, Ctrl-D
    const question = `Everything on ${path} will be lost. Type yes: `;
    terminal.question(question).then(resolve, () => resolve(''));
  });
  terminal.close();
  if (answer.trim() !== 'yes') throw new Interrupted(`flash: ${path} is as it was`);
}

async function write(image: string, disk: Disk): Promise<void> {
  const progress = createProgress();
  const abort = new AbortController();
  let isWritten = false;
  const stop = () => {
    const state = isWritten ? 'written, but not checked' : 'half written: it does not boot';
    abort.abort(new Interrupted(`flash: stopped; ${disk.path} is ${state}`));
  };
  process.once('SIGINT', stop);
  try {
    await flash({
      ...{ image, disk: disk.path, signal: abort.signal },
      onProgress: (done, total, what) => {
        isWritten = what === 'checking' || done === total;
        progress.update(done, total, what);
      },
    });
  } finally {
    process.off('SIGINT', stop);
    progress.end();
  }
}
