import { closeSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs';
import { FILE_ALIGNMENT, peFromElf } from '../toolchain/pe.ts';
import { copyInto, writeAll } from './copy.ts';

/** Writes an EFI application that has its model pack in itself. elf: the guest, pack: paths. */
export function writeEmbedded(elf: string, pack: string, output: string): void {
  const { size } = statSync(pack);
  const head = peFromElf(readFileSync(elf), size);
  const file = openSync(output, 'w');
  try {
    writeAll(file, head, 0);
    copyInto(file, head.length, pack);
    ftruncateSync(file, head.length + Math.ceil(size / FILE_ALIGNMENT) * FILE_ALIGNMENT);
  } finally {
    closeSync(file);
  }
}
