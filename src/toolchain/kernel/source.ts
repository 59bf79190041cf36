/** Debian's kernel source: unpacked once, never changed, shared by every build. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { cached, hashOf } from '../cache.ts';
import { startChild } from '../children.ts';
import { requireTool } from '../find.ts';
import { finish } from './make.ts';

export interface KernelSource {
  /** Folder with the kernel's own Makefile. */
  folder: string;
  /**
   * What it is, for cache keys: Debian's version of the package, else size and time of the archive.
   */
  identity: string;
}

/** 1.5 GB in 80,000 files; ten seconds, once per version. */
export async function unpackSource(onProgress: (what: string) => void): Promise<KernelSource> {
  const [archive] = requireTool('linux-source');
  const identity = archiveIdentity(archive);
  const unpack = async (folder: string) => {
    onProgress('unpacking the kernel’s source');
    const args = ['-xJf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'];
    const run = await finish(startChild('tar', args));
    if (run.code !== 0) throw new Error(`${archive}: tar cannot unpack it\n${run.lastLines}`);
  };
  const placing = { hasPlainPath: true };
  const { folder } = await cached('linux-source', hashOf([identity]), unpack, placing);
  return { folder, identity };
}

function archiveIdentity(archive: string): string {
  const format = ['--showformat=$' + '{Package} $' + '{Version}', '--show', 'linux-source-6.1'];
  const query = spawnSync('dpkg-query', format, { encoding: 'utf8' });
  if (query.status === 0) return query.stdout;
  const { size, mtimeMs } = statSync(archive);
  return `${archive} ${size} ${mtimeMs}`;
}
