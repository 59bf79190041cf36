/**
 * The unikernel for Firecracker, which needs KVM and so cannot run here: what its loader reads, and
 * where it puts things, held against its sources (firecracker-microvm/firecracker 81b38b9,
 * src/vmm/src; rust-vmm/linux-loader 0.14, src/loader/elf).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildStack } from '../../src/stacks/index.ts';
import type { Manifest } from '../../src/stacks/manifest.ts';
import { elfFootprint } from '../../src/toolchain/elf.ts';
import { hasStories260K, NO_STORIES, stories260K } from '../engine/sharedModels.ts';
import { temporaryFolder } from './loaders.ts';

/** arch/x86_64/layout.rs */
const HIMEM_START = 0x100000;
const PAGE = 4096;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;

const folder = temporaryFolder();

describe.skipIf(!hasStories260K)(`firecracker${hasStories260K ? '' : ` ${NO_STORIES}`}`, () => {
  let manifest: Manifest;
  beforeAll(async () => {
    const request = { ...stories260K, format: 'firecracker' } as const;
    ({ manifest } = await buildStack('unikernel', request, folder));
  }, 120_000);

  test('the configuration: every key that must be there, none that is unknown', () => {
    const configuration = JSON.parse(readFileSync(join(folder, 'firecracker.json'), 'utf8'));
    expect(configuration).toEqual({
      'boot-source': { kernel_image_path: 'muinference.elf', initrd_path: 'model.pack' },
      'machine-config': { vcpu_count: 1, mem_size_mib: manifest.memory.total / 2 ** 20 },
      drives: [],
    });
    expect(manifest.files.map(({ name }) => name)).toContain('firecracker.json');
  });

  test('the program: a note with the entry, segments above 1 MiB', () => {
    const elf = readFileSync(join(folder, 'muinference.elf'));
    const headers = Array.from(
      { length: elf.readUInt16LE(56) },
      (_, i) => Number(elf.readBigUInt64LE(32)) + 56 * i,
    );
    expect(elf.readUInt16LE(54)).toBe(56);
    expect(Number(elf.readBigUInt64LE(24))).toBeGreaterThanOrEqual(HIMEM_START);
    const loaded = headers.filter((at) => elf.readUInt32LE(at) === 1);
    for (const at of loaded) {
      expect(Number(elf.readBigUInt64LE(at + 24))).toBeGreaterThanOrEqual(HIMEM_START);
    }
    const note = headers.find((at) => elf.readUInt32LE(at) === 4)!;
    const start = Number(elf.readBigUInt64LE(note + 8));
    expect(elf.readUInt32LE(start)).toBe(4); // length of the name
    expect(elf.readUInt32LE(start + 4)).toBeGreaterThanOrEqual(4); // of the entry's address
    expect(elf.readUInt32LE(start + 8)).toBe(XEN_ELFNOTE_PHYS32_ENTRY);
    expect(elf.toString('latin1', start + 12, start + 16)).toBe('Xen\0');
    const entry = elf.readBigUInt64LE(start + 16);
    const [from, bytes] = [
      elf.readBigUInt64LE(loaded[0] + 24),
      elf.readBigUInt64LE(loaded[0] + 32),
    ];
    expect(entry).toBeGreaterThanOrEqual(from);
    expect(entry).toBeLessThan(from + bytes);
  });

  test('room: the pack at the end of RAM, on a page, does not touch the program', () => {
    const pack = manifest.files.find(({ name }) => name === 'model.pack')!;
    const end = manifest.memory.total - pack.bytes;
    const { end: programEnd } = elfFootprint(join(folder, 'muinference.elf'));
    expect(end - (end % PAGE)).toBeGreaterThanOrEqual(programEnd);
  });
});
