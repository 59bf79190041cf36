/**
 * The guest's tokenizer beside the models' own libraries, on random lines in many scripts.
 * Usage: npx tsx bench/tokenizers.ts [LINES]
 */
import { loadTokenizer } from '../src/model/hostTokenizer.ts';
import {
  fetchRealVocabularies,
  ownEncoder,
  randomLines,
  readRealVocabulary,
  realVocabularies,
} from './realVocabularies.ts';
import { formatTable } from './table.ts';

const count = Number(process.argv[2] ?? 10_000);
fetchRealVocabularies();
const lines = randomLines(count);
const rows: string[][] = [];
for (const vocabulary of realVocabularies) {
  const tokenizer = readRealVocabulary(vocabulary);
  const { encode } = await loadTokenizer({ tokenizer });
  const own = ownEncoder(vocabulary);
  let [equal, tokens] = [0, 0];
  for (const line of lines) {
    const [found, expected] = [encode(line), own(line)];
    tokens += expected.length;
    if (found.join() === expected.join()) equal++;
    else if (process.env.SHOW) console.log(JSON.stringify(line), found.join(), expected.join());
  }
  const pieces = tokenizer.pieces.length;
  rows.push([vocabulary.name, `${pieces}`, `${lines.length}`, `${tokens}`, `${equal}`]);
}
console.log(formatTable([['vocabulary', 'pieces', 'lines', 'tokens', 'equal lines'], ...rows]));
