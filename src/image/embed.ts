import { closeSync, ftruncateSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { FILE_ALIGNMENT, peFromElf } from '../toolchain/pe.ts';
import { copyInto } from './copy.ts';

/** Writes an EFI application that has its model pack in itself. elf: the guest, pack: paths. */
export function writeEmbedded(elf: string, pack: string, output: string): void {
  const { size } = statSync(pack);
  const head = peFromElf(readFileSync(elf), size);
  const file = openSync(output, 'w');
  try {
    writeSync(file, head);
    copyInto(file, head.length, pack);
    ftruncateSync(file, head.length + Math.ceil(size / FILE_ALIGNMENT) * FILE_ALIGNMENT);
  } finally {
    closeSync(file);
  }
}
