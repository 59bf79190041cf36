/**
 * Source packages from Debian's archive. Most machines list only its binary packages; so apt is
 * given a private list, made from the machine's own, and private folders: the machine's lists stay
 * as they are. apt checks signature and hashes on the way.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, hashOf } from './cache.ts';
import { startChild } from './children.ts';
import { finish } from './kernel/make.ts';

export interface DebianSource {
  /** Path of the .dsc file; what it names lies beside it. */
  dsc: string;
  /** Debian's version: `1.35.0-4+deb12u1`. */
  version: string;
}

/** A file of /etc/apt. */
export interface AptList {
  name: string;
  text: string;
}

/**
 * The newest version that this machine's archives have, from the cache if it was fetched before.
 * Throws with apt's own words if it cannot be had. onStep: called with what is being done.
 */
export async function fetchDebianSource(
  name: string,
  onStep: (what: string) => void,
): Promise<DebianSource> {
  const lists = readAptLists('/etc/apt').map(forSources);
  const fetch = async (folder: string) => {
    if (lists.length === 0) {
      throw new Error(
        `the source of ${name} comes from Debian's archive by apt, and /etc/apt lists none; on Debian 12, add one`,
      );
    }
    const apt = join(folder, 'apt');
    const options = privateFolders(apt);
    for (const list of lists) writeFileSync(join(apt, 'sources', list.name), list.text);
    onStep('reading the list of Debian’s source packages');
    // update may fail for one archive while another has the package: the download decides.
    const update = await run([...options, 'update'], folder);
    onStep(`fetching the source of ${name}`);
    const source = await run([...options, '--download-only', 'source', name], folder);
    if (source.code !== 0) {
      const complaints = [...update.lastLines.split('\n'), ...source.lastLines.split('\n')];
      throw new Error(
        `apt-get source ${name} failed (exit code ${source.code}); does apt-get update work?\n` +
          complaints.filter((line) => /^ *[EW]: /.test(line)).join('\n'),
      );
    }
    rmSync(apt, { recursive: true });
  };
  const placing = { hasPlainPath: true };
  const { folder } = await cached('debian-source', hashOf([name, lists]), fetch, placing);
  const dsc = readdirSync(folder).find((file) => file.endsWith('.dsc'));
  if (!dsc) throw new Error(`${folder}: expected a .dsc file; remove the folder and try again`);
  return { dsc: join(folder, dsc), version: dsc.slice(dsc.indexOf('_') + 1, -'.dsc'.length) };
}

/** Both formats: one line each (*.list), and deb822 (*.sources), sources.list(5). */
function readAptLists(folder: string): AptList[] {
  const parts = join(folder, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  return [
    { name: 'main.list', path: join(folder, 'sources.list') },
    ...names.map((name) => ({ name, path: join(parts, name) })),
  ]
    .filter(({ name, path }) => /\.(list|sources)$/.test(name) && existsSync(path))
    .map(({ name, path }) => ({ name, text: readFileSync(path, 'utf8') }));
}

/** The same archives' sources instead of their binary packages. */
export function forSources({ name, text }: AptList): AptList {
  if (name.endsWith('.sources')) {
    return { name, text: text.replace(/^Types:.*$/gim, 'Types: deb-src') };
  }
  const entries = text.matchAll(/^\s*deb(?:-src)?\s+(.*)$/gm);
  const lines = new Set([...entries].map(([, entry]) => `deb-src ${entry}\n`));
  return { name, text: [...lines].join('') };
}

/** apt's options for lists and caches below `folder`, which it makes. */
function privateFolders(folder: string): string[] {
  for (const name of ['sources', 'lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const options = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'sources'),
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::Cache': join(folder, 'cache'),
    'APT::Sandbox::User': 'root', // who may read our cache folder
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
  };
  return Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

function run(args: readonly string[], folder: string) {
  // apt-get downloads into its working folder.
  return finish(startChild('env', ['-C', folder, 'LC_ALL=C', 'apt-get', ...args]));
}
