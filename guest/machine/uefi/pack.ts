import { enterFirmware, leaveFirmware } from 'arch/firmwareState';
import { PAGE } from 'arch/paging';
import { addNumber, addText, type Line } from '../line.ts';
import { stopWith } from '../panic.ts';
import { piecesOf } from '../ranges.ts';
import { loadedImage, protocolOf, systemTable } from './firmware.ts';
import { PACK_BYTES, PACK_START } from './layout.ts';
import {
  ANY_PAGES,
  FILE_END,
  FILE_READ,
  type File,
  type FileSystem,
  LOADER_DATA,
  SIMPLE_FILE_SYSTEM,
} from './protocols.ts';

/**
 * The model pack: a part of the application, used where firmware has loaded it; or a file beside
 * it, on the file system that this was started from, read once into memory.
 */
// \model.pack
const NAME: FixedArray<u16> = [0x5c, 0x6d, 0x6f, 0x64, 0x65, 0x6c, 0x2e, 0x70, 0x61, 0x63, 0x6b, 0];

const MEBIBYTE: u64 = 0x100000;

let start: usize = 0;
let length: usize = 0;

export function packStart(): Ptr<u8> {
  return changetype<Ptr<u8>>(start);
}

export function packLength(): usize {
  return length;
}

/** First address after the pack's last page, which nobody else uses. */
export function packEnd(): usize {
  return start + pagesOf(length) * PAGE;
}

/** Stops with a message if it is not there or does not fit. */
export function findPack(): void {
  const base = loadedImage().base;
  length = load<usize>(base, PACK_BYTES);
  start = base + load<usize>(base, PACK_START);
  if (length == 0) readFile();
}

function readFile(): void {
  const file = openFile();
  let bytes: u64 = 0;
  enterFirmware();
  let status = file.setPosition(file, FILE_END);
  if (status == 0) status = file.position(file, ref(bytes));
  if (status == 0) status = file.setPosition(file, 0);
  leaveFirmware();
  if (status != 0) refuse('\\model.pack cannot be read', status);
  if (bytes == 0) refuse('\\model.pack is empty', 0);
  length = usize(bytes);
  start = allocate(length);
  let done: usize = 0;
  while (done < length) {
    let piece = length - done;
    enterFirmware();
    status = file.read(file, ref(piece), start + done);
    leaveFirmware();
    if (status != 0) refuse('\\model.pack cannot be read', status);
    if (piece == 0) refuse('\\model.pack ends before its end', 0);
    if (piece > length - done)
      refuse('firmware has read more of \\model.pack than was asked for', 0);
    done += piece;
  }
}

function openFile(): Ptr<File> {
  const device = loadedImage().device;
  const system = changetype<Ptr<FileSystem>>(protocolOf(device, ref(SIMPLE_FILE_SYSTEM[0])));
  if (system == null) refuse('no file system where this application was started from', 0);
  let root: Ptr<File> = null;
  let file: Ptr<File> = null;
  enterFirmware();
  let status = system.openVolume(system, ref(root));
  if (status == 0) status = root.open(root, ref(file), ref(NAME[0]), FILE_READ, 0);
  leaveFirmware();
  if (status != 0) {
    refuse('no model pack: \\model.pack must lie on the disk that this was started from', status);
  }
  return file;
}

function allocate(bytes: usize): usize {
  let address: u64 = 0;
  const pages = pagesOf(bytes);
  enterFirmware();
  const status = systemTable().boot.allocatePages(ANY_PAGES, LOADER_DATA, pages, ref(address));
  leaveFirmware();
  if (status != 0) {
    const line = zeroed<Line>();
    const packMebibytes = u64(bytes) / MEBIBYTE;
    addNumber(ref(line), '\npanic: not enough memory: the model pack takes ', packMebibytes);
    addText(ref(line), ' MiB, and firmware has no piece of that size. Give the machine more\n');
    stopWith(ref(line));
  }
  return usize(address);
}

function pagesOf(bytes: usize): usize {
  return usize(piecesOf(u64(bytes), u64(PAGE)));
}

/** status: firmware's; its low bits are the error's number (UEFI 2.10, appendix D). */
function refuse(problem: string, status: usize): void {
  const line = zeroed<Line>();
  addText(ref(line), '\npanic: ');
  addText(ref(line), problem);
  if (status != 0) {
    addNumber(ref(line), ' (EFI error ', u64(status & 0xffff));
    addText(ref(line), ')');
  }
  addText(ref(line), '\n');
  stopWith(ref(line));
}
