/** What names a model that is not here: `hf:OWNER/REPO:QUANT`, `hf:OWNER/REPO/FILE`, an address. */
import { checkAddress } from './http.ts';
import type { Wish } from './quantizations.ts';

export type Reference =
  | { kind: 'hub'; text: string; repository: string; wish: Wish }
  | { kind: 'address'; text: string; address: string };

/** A repository's owner and name. Neither may be `.` or `..`, or have a slash. */
const NAME = '[A-Za-z0-9_][\\w.-]{0,95}';
const HUB = new RegExp(
  `^hf:(?<repository>${NAME}/${NAME})(?::(?<quant>[\\w.-]+)|/(?<file>.+))?$`,
  'i',
);

/** Throws where it is none that is whole. */
export function parseReference(text: string): Reference {
  return /^hf:/i.test(text) ? parseHub(text) : parseAddress(text);
}

function parseHub(text: string): Reference {
  const { repository, quant, file } = HUB.exec(text)?.groups ?? {};
  if (repository === undefined) {
    throw new Error(`${text}: expected hf:OWNER/REPO, hf:OWNER/REPO:QUANT or hf:OWNER/REPO/FILE`);
  }
  const quantization = quant?.toUpperCase();
  const end = quant ? `:${quantization}` : file ? `/${file}` : '';
  const wish = { ...(quant ? { quantization } : {}), ...(file ? { file } : {}) };
  return { kind: 'hub', text: `hf:${repository}${end}`, repository, wish };
}

function parseAddress(text: string): Reference {
  const url = checkAddress(text);
  url.hash = '';
  // The hub's page about a file; the file itself lies beside it.
  if (url.hostname === 'huggingface.co') {
    url.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/');
  }
  if (!url.pathname.endsWith('.gguf')) {
    throw new Error(
      `${text}: expected the address of a file NAME.gguf; of a repository of Hugging Face: hf:OWNER/REPO`,
    );
  }
  return { kind: 'address', text: url.href, address: url.href };
}

/** The longest that file systems take is 255; parts get a longer name while they are fetched. */
const LONGEST_SEGMENT = 160;

/**
 * The segments of a path that comes from a network, as names of folders and a file. Throws where
 * one could lead somewhere else, or drive a terminal.
 */
export function safeSegments(path: string): string[] {
  const segments = path.split('/');
  const isSafe = (segment: string) =>
    segment !== '' &&
    !/^\.+$/.test(segment) &&
    !/[\p{C}\\]/u.test(segment) &&
    Buffer.byteLength(segment) <= LONGEST_SEGMENT;
  if (segments.length <= 16 && segments.every(isSafe)) return segments;
  throw new Error(`${JSON.stringify(path.slice(0, 200))} is no name that a file can have here`);
}
