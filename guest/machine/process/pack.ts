import { addBytes, addNumber, addText, type Line } from '../line.ts';
import { writeAll } from './console.ts';
import { leave } from './first.ts';
import { fileLength, mapFile, open, STDERR } from './system.ts';

/** The model pack: a file, mapped as it is. */
/** What Linux calls the length of a folder is longer. */
const LONGEST: isize = 1 << 46;

let start: usize = 0;
let length: usize = 0;

export function packStart(): Ptr<u8> {
  return changetype<Ptr<u8>>(start);
}

export function packLength(): usize {
  return length;
}

/**
 * path: ended by a zero byte. Ends the process with a message on standard error if the file is of
 * no use.
 */
export function openPack(path: Ptr<u8>): void {
  const file = open(path);
  if (file < 0) refuse(path, 'cannot be opened', file);
  const bytes = fileLength(i32(file));
  if (bytes < 0 || bytes > LONGEST) refuse(path, 'is not a regular file', min(bytes, 0));
  if (bytes == 0) refuse(path, 'is empty', 0);
  const address = mapFile(i32(file), usize(bytes));
  if (address < 0 && address >= -4095) refuse(path, 'cannot be mapped', address);
  start = usize(address);
  length = usize(bytes);
}

/** error: as a system call returns it; 0: there is none to tell. */
function refuse(path: Ptr<u8>, problem: string, error: isize): void {
  let end: usize = 0;
  while (path[end] != 0) end++;
  const line = zeroed<Line>();
  addText(ref(line), 'pack file ');
  addBytes(ref(line), path, min(end, 300));
  addText(ref(line), ' ');
  addText(ref(line), problem);
  if (error != 0) {
    addText(ref(line), ': ');
    addText(ref(line), errorName(error));
    addNumber(ref(line), ' (Linux error ', u64(-error));
    addText(ref(line), ')');
  }
  addText(ref(line), '\nThe first argument is the model pack that this program was built with.\n');
  writeAll(STDERR, ref(line.bytes[0]), line.length);
  leave(1);
}

/** errno(3) */
function errorName(error: isize): string {
  switch (i32(-error)) {
    case 2:
      return 'no such file';
    case 12:
      return 'out of memory';
    case 13:
      return 'permission denied';
    case 20:
      return 'not a folder';
    case 29:
      return 'a pipe';
    default:
      return 'failed';
  }
}
