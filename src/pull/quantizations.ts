/** Which files of a repository are meant: one model has many quantizations, and some many parts. */
import { parsePartName, partsOf } from './partNames.ts';

/** A file as a repository lists it. */
export interface ListedFile {
  path: string;
  bytes: number;
  /** Absent: the list does not state it. */
  sha256?: string;
}

/** One model in one quantization: a file, or all of its parts in order. */
export interface Candidate {
  files: ListedFile[];
  /** As its name has it, such as Q4_K_M; absent: it has none. */
  quantization?: string;
}

/** What is meant: a quantization, a file, or, with neither, whatever is best. */
export interface Wish {
  quantization?: string;
  /** Its path in the repository. */
  file?: string;
}

/**
 * What is taken where nothing is said, the best first (as llama.cpp has it, common/download.cpp),
 * and the weight types of such files: what cannot be read is passed over.
 */
const DEFAULTS: readonly { quantization: string; types: readonly string[] }[] = [
  { quantization: 'Q4_K_M', types: ['Q4_K', 'Q6_K'] },
  { quantization: 'Q8_0', types: ['Q8_0'] },
];

/** Parts of names of what is not a model but something beside one (the same source). */
const BESIDE = ['mmproj', 'imatrix', 'mtp-', 'eagle3-', 'dflash-', 'dspark-'];

/** At the end of a name, before .gguf: Q4_K_M, IQ3_XXS, UD-Q2_K_XL, TQ1_0, MXFP4_MOE, BF16, … */
const QUANTIZATION = /(?:^|[-._])((?:UD-)?(?:I?Q\d|TQ\d|MXFP4|NVFP4|BF16|FP?16|FP?32)\w*)$/i;

/** The models in a list of files, each with all of its parts. */
export function findCandidates(files: readonly ListedFile[]): Candidate[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  return files.flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (!name.endsWith('.gguf') || BESIDE.some((word) => name.includes(word))) return [];
    if ((parsePartName(path)?.part ?? 1) > 1) return []; // counted with the first
    const parts = partsOf(path).map((part) => byPath.get(part) ?? { path: part, bytes: NaN });
    return { files: parts, quantization: QUANTIZATION.exec(stemOf(path))?.[1] };
  });
}

/** Path without `-00001-of-00003` and `.gguf`. */
function stemOf(path: string): string {
  return parsePartName(path)?.name ?? path.slice(0, -'.gguf'.length);
}

/** The one that is meant. Throws where there is none, or more than one, and lists what there is. */
export function choose(
  candidates: readonly Candidate[],
  wish: Wish,
  canRead: (type: string) => boolean,
): Candidate {
  const found = matching(candidates, wish, canRead);
  if (found.length !== 1) throw new Error(describeChoice(candidates, found, wish));
  const [candidate] = found;
  const missing = candidate.files.find(({ bytes }) => Number.isNaN(bytes));
  if (missing) throw new Error(`found no ${missing.path}, one of ${candidate.files.length} parts`);
  return candidate;
}

function matching(
  candidates: readonly Candidate[],
  { file, quantization }: Wish,
  canRead: (type: string) => boolean,
): Candidate[] {
  if (file !== undefined) {
    return candidates.filter(({ files }) => files.some(({ path }) => path === file));
  }
  if (quantization !== undefined) return named(candidates, quantization);
  for (const { quantization, types } of DEFAULTS) {
    const found = types.every(canRead) ? named(candidates, quantization) : [];
    if (found.length > 0) return found;
  }
  return [...candidates];
}

/** Those whose name, or whose folder's, ends so. Those that have exactly this one come first. */
function named(candidates: readonly Candidate[], quantization: string): Candidate[] {
  const wanted = quantization.toUpperCase();
  const exact = candidates.filter((one) => one.quantization?.toUpperCase() === wanted);
  if (exact.length > 0) return exact;
  return candidates.filter(({ files: [{ path }] }) => {
    const stem = stemOf(path).toUpperCase();
    const folder = stem.slice(0, Math.max(0, stem.lastIndexOf('/')));
    return endsWith(stem, wanted) || endsWith(folder, wanted);
  });
}

/** As a word of its own: Q4_K_M ends `x-Q4_K_M`, F16 does not end `x-BF16`. */
function endsWith(text: string, word: string): boolean {
  return text === word || ['-', '.', '_', '/'].some((sign) => text.endsWith(sign + word));
}

/** How many are listed in a message. */
const LISTED = 40;

function describeChoice(
  candidates: readonly Candidate[],
  found: readonly Candidate[],
  { file, quantization }: Wish,
): string {
  if (candidates.length === 0) return 'found no GGUF file';
  const wanted = file ?? quantization;
  const isAmbiguous = found.length > 1;
  const problem = isAmbiguous
    ? `found ${found.length} models${wanted ? ` in ${wanted}` : ''}`
    : `found no ${wanted}`;
  const choice = isAmbiguous ? found : candidates;
  const labels = choice.map((one) => one.quantization ?? '');
  const isTelling = labels.every((label, i) => label !== '' && labels.indexOf(label) === i);
  const names = choice.map(({ files }, i) => (isTelling ? labels[i] : files[0].path));
  const list = names.slice(0, LISTED).join(', ');
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  const form = isTelling ? 'hf:OWNER/REPO:QUANT with one of' : 'hf:OWNER/REPO/FILE with one of';
  return `${problem}, expected ${form} ${list}${more}`;
}
