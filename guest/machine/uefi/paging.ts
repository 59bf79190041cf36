import { keepTables } from 'arch/firmwareState';
import {
  ADDRESS,
  ENTRIES,
  EXECUTABLE,
  HUGE_PAGE,
  haveFourLevels,
  LARGE,
  LARGE_PAGE,
  NOT_THERE,
  PAGE,
  READ_ONLY,
  RIGHTS,
  TABLE,
  tablesInUse,
  WRITABLE_DATA,
} from 'arch/paging';
import { MOST_CORES } from '../limits.ts';
import { loadedImage } from './firmware.ts';
import { CODE_END, CONSTANTS_END, HEADER, IMAGE_END } from './layout.ts';
import { packEnd, packStart } from './pack.ts';
import { stackGuard } from './stacks.ts';

/**
 * Page tables: firmware's, but for pages that are ours. Code can be executed, data and storage can
 * be written, constants and the pack can be read. Address zero is not there, nor is a page below
 * each stack. Tables on the way to such a page are copies; those of firmware stay as they are, and
 * are in use whenever it is called.
 */

/**
 * The top, then copies: image, stacks and pack need about ten, and one more for each GiB. When none
 * is left, pages keep firmware's rights.
 */
const MOST_TABLES: usize = 64;
/** @align 4096 */
const tables = zeroed<FixedArray<FixedArray<u64, 512>, typeof MOST_TABLES>>();
let tablesUsed: usize = 1;

/** Once the pack is there, before the other cores. */
export function protectMemory(): void {
  if (!haveFourLevels()) return;
  const base = loadedImage().base;
  const codeEnd = base + load<usize>(base, CODE_END);
  const constantsEnd = base + load<usize>(base, CONSTANTS_END);
  const imageEnd = base + load<usize>(base, IMAGE_END);
  const top = ref(tables[0]);
  memory.copy(top, usize(tablesInUse() & ADDRESS), PAGE);
  setRights(0, PAGE, NOT_THERE);
  setRights(base + HEADER, codeEnd, EXECUTABLE);
  setRights(codeEnd, constantsEnd, READ_ONLY);
  setRights(constantsEnd, imageEnd, WRITABLE_DATA);
  for (let core: usize = 0; core < usize(MOST_CORES); core++) {
    setRights(stackGuard(core), stackGuard(core) + PAGE, NOT_THERE);
  }
  setRights(changetype<usize>(packStart()), packEnd(), READ_ONLY);
  keepTables(u64(changetype<usize>(top)));
}

/** start, end: whole pages */
function setRights(start: usize, end: usize, rights: u64): void {
  let at = start;
  while (at < end) {
    const upper = below(ref(tables[0][(at >> 39) % ENTRIES]), HUGE_PAGE);
    const directory = below(ref(upper[(at >> 30) % ENTRIES]), LARGE_PAGE);
    const entry = ref(directory[(at >> 21) % ENTRIES]);
    if ((entry[0] & LARGE) != 0 && at % LARGE_PAGE == 0 && end - at >= LARGE_PAGE) {
      setEntry(entry, rights);
      at += LARGE_PAGE;
    } else {
      const pages = below(entry, PAGE);
      setEntry(ref(pages[(at >> 12) % ENTRIES]), rights);
      at += PAGE;
    }
  }
}

function setEntry(entry: Ptr<u64>, rights: u64): void {
  entry[0] = (entry[0] & ~RIGHTS) | rights;
}

/** The table that an entry leads to, as one of ours. bytes: what each of its entries stands for. */
function below(entry: Ptr<u64>, bytes: usize): Ptr<u64> {
  const value = entry[0];
  const address = usize(value & ADDRESS);
  // then it leads to no table, even if one of ours lies at its address
  const isLarge = (value & LARGE) != 0;
  if (!isLarge && isOurs(address)) return changetype<Ptr<u64>>(address);
  if (tablesUsed == MOST_TABLES) return ref(spare[0]);
  const table = ref(tables[tablesUsed][0]);
  tablesUsed += 1;
  if (!isLarge) {
    memory.copy(table, address, PAGE);
  } else {
    const flags = bytes == PAGE ? value & ~LARGE : value;
    for (let i: usize = 0; i < ENTRIES; i++) table[i] = flags + u64(i * bytes);
  }
  entry[0] = u64(changetype<usize>(table)) | TABLE;
  return table;
}

/** Stands in for a table when none is left: nobody reads what is written there. @align 4096 */
const spare = zeroed<FixedArray<u64, 512>>();

function isOurs(address: usize): bool {
  const first = changetype<usize>(ref(tables[0]));
  return address >= first && address < first + MOST_TABLES * PAGE;
}
