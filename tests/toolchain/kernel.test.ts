import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countFile, type KernelLines } from '../../src/lines/kernel.ts';
import { isRunning } from '../../src/toolchain/cache/owner.ts';
import { killChild, startChild } from '../../src/toolchain/children.ts';
import { findTool } from '../../src/toolchain/find.ts';
import {
  FRAGMENTS,
  formatWishes,
  parseFragment,
  parseLeftOut,
  readFragments,
  unfulfilled,
} from '../../src/toolchain/kernel/configuration.ts';
import { finish } from '../../src/toolchain/kernel/make.ts';
import { withTree } from '../../src/toolchain/kernel/tree.ts';
import {
  type BuiltKernel,
  buildKernel,
  KERNEL_NAMES,
  KERNEL_TOOLS,
  type KernelName,
} from '../../src/toolchain/kernel.ts';
import { ONLY_ALL } from '../sample.ts';

describe('fragments', () => {
  test('an option, its value and why', () => {
    const text = '# purpose\n\nCONFIG_A=y # because\nCONFIG_B="a # b" # text\nCONFIG_C=0x200000\n';
    expect(parseFragment(text, 'x.config')).toEqual([
      { option: 'A', value: 'y', fragment: 'x.config' },
      { option: 'B', value: '"a # b"', fragment: 'x.config' },
      { option: 'C', value: '0x200000', fragment: 'x.config' },
    ]);
  });

  test.each(['CONFIG_A', 'A=y', 'CONFIG_A=y CONFIG_B=y', '# fine\nCONFIG_A = y'])(
    '%j is refused with its place',
    (text) => {
      expect(() => parseFragment(text, 'x.config')).toThrow(/^x\.config:\d: expected CONFIG_NAME=/);
    },
  );

  test('what Kconfig drops or turns round is named', () => {
    const wishes = parseFragment('CONFIG_A=y\nCONFIG_B=n\nCONFIG_C=5\nCONFIG_D=n', 'x.config');
    const config = 'CONFIG_B=y\nCONFIG_C=6\n# CONFIG_A is not set\n';
    expect(unfulfilled(wishes, config)).toEqual([
      'x.config: CONFIG_A=y came out as n',
      'x.config: CONFIG_B=n came out as y',
      'x.config: CONFIG_C=5 came out as 6',
    ]);
  });

  test.each(KERNEL_NAMES)('%s: every option says why, none stands twice', (name) => {
    expect(FRAGMENTS[name].length).toBeGreaterThan(3);
    for (const fragment of FRAGMENTS[name]) {
      const file = new URL(`../../guest/linux/kernel/${fragment}.config`, import.meta.url);
      const text = readFileSync(file, 'utf8');
      expect(text).toMatch(/^# \S/);
    }
    const options = readFragments(name).map(({ option }) => option);
    expect(new Set(options).size).toBe(options.length);
    expect(formatWishes(readFragments(name))).toMatch(/^CONFIG_64BIT=y\n/);
  });
});

describe('files left out', () => {
  test('one per line, and why', () => {
    const text = '# purpose\n\nmm/a-b.o # because\nlib/math/c_d.o\n';
    expect(parseLeftOut(text, 'x')).toEqual(['mm/a-b.o', 'lib/math/c_d.o']);
  });

  test.each(['mm/a.c', 'a.o b.o', '# fine\n mm/a.o'])('%j is refused with its place', (text) => {
    expect(() => parseLeftOut(text, 'x')).toThrow(/^x:\d: expected folder\/name\.o/);
  });
});

test.each([
  ['/* a\n b */ int x; // c\n\n//\n', false, 1, 4],
  ['char *s = "/* no comment */"; /* one */\n/**/ int y;', false, 2, 2],
  ['char c = \'"\'; /* " */\nint z;\n', false, 2, 2],
  ['#include <a.h>\n# a comment of the assembler\n  nop # why\n', true, 2, 3],
  ['#define A \\\n  /* nothing */ \\\n  1\n', false, 3, 3],
  ['', false, 0, 0],
])('lines of code of %j', (text, isAssembly, code, raw) => {
  expect(countFile(text, isAssembly)).toEqual({ files: 1, code, raw });
});

test('a build that is cut off takes all its processes along', async () => {
  const child = startChild('sh', ['-c', 'sleep 1000 & echo $!; wait']);
  let grandchild = 0;
  const run = finish(child, undefined, (line) => {
    grandchild = Number(line);
    killChild(child);
  });
  expect((await run).code).toBe(null);
  expect(grandchild).toBeGreaterThan(1);
  // The kernel delivers SIGKILL at once; whoever adopts the orphan may take a moment to bury it.
  for (let i = 0; i < 100 && isAlive(grandchild); i++) await sleep(50);
  expect(isAlive(grandchild)).toBe(false);
});

/** A zombie runs no more. */
function isAlive(pid: number): boolean {
  if (!isRunning(pid)) return false;
  return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

describe('one tree, one build at a time', () => {
  let folder: string;
  const cache = process.env.MU_CACHE;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mu-tree-'));
    process.env.MU_CACHE = folder;
  });
  afterEach(() => {
    if (cache === undefined) delete process.env.MU_CACHE;
    else process.env.MU_CACHE = cache;
    rmSync(folder, { recursive: true });
  });

  test('the second waits for the first and finds its objects', async () => {
    let waited = 0;
    let inside = 0;
    const build = async (tree: string) => {
      expect(++inside).toBe(1);
      const had = existsSync(join(tree, 'object'));
      writeFileSync(join(tree, 'object'), '');
      await sleep(300);
      inside--;
      return had;
    };
    const results = await Promise.all(
      [1, 2].map(() => withTree('k', 'key', () => waited++, build)),
    );
    expect(results).toEqual([false, true]);
    expect(waited).toBeGreaterThan(0);
  });

  test('a failed build leaves no tree behind; another checkout finds its own', async () => {
    const nobody = () => expect.unreachable();
    const fails = withTree('k', 'one', nobody, () => Promise.reject(new Error('no')));
    await expect(fails).rejects.toThrow('no');
    const had = async (tree: string) => {
      const was = existsSync(join(tree, 'object'));
      writeFileSync(join(tree, 'object'), '');
      return was;
    };
    expect(await withTree('k', 'one', nobody, had)).toBe(false);
    expect(await withTree('k', 'one', nobody, had)).toBe(true);
    expect(await withTree('k', 'two', nobody, had)).toBe(false);
    expect(await withTree('k', 'one', nobody, had)).toBe(true);
  });

  test('who is killed keeps nobody waiting, and his tree is swept away', async () => {
    const path = JSON.stringify(new URL('../../src/toolchain/kernel/tree.ts', import.meta.url));
    const script = `
      import { writeFileSync } from 'node:fs';
      const { withTree } = await import(${path});
      await withTree('k', 'key', () => {}, async (tree) => {
        writeFileSync(tree + '/object', 'half');
        console.log('built');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const child = startChild(process.execPath, args);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    const objects = await withTree(
      'k',
      'key',
      () => {},
      async (tree) => readdirSync(tree),
    );
    expect(objects).toEqual([]);
  });
});

/**
 * Bytes of the bzImage without an initramfs; lines of code that the compiler read (docs/linux.md,
 * Kernel).
 */
const BUDGETS: Record<KernelName, { bytes: number; lines: number }> = {
  linux: { bytes: 1_500_000, lines: 700_000 },
  'linux-usb': { bytes: 1_500_000, lines: 760_000 },
  diet: { bytes: 800_000, lines: 490_000 },
};

const missing = KERNEL_TOOLS.filter((tool) => findTool(tool).command === null);

/** `linux-usb` is `linux` and a few files: a sample does without its build. */
const kernels = KERNEL_NAMES.map((name) => {
  const noTools = missing.length > 0 ? ` (needs ${missing.join(', ')})` : '';
  return { name, reason: noTools || (name === 'linux-usb' ? ONLY_ALL : '') };
});

for (const { name, reason } of kernels) {
  describe.skipIf(reason)(`kernel ${name}${reason}`, () => {
    let kernel: BuiltKernel;
    // Alone on two slow cores, a kernel takes five minutes; the suite's other tests find it in the
    // cache.
    test('builds', { timeout: 1_500_000 }, async () => {
      kernel = await buildKernel(name);
      expect(kernel.release).toMatch(/^6\.1\.\d+$/);
      expect((await buildKernel(name)).wasCached).toBe(true);
    });

    test('has what we asked for, and neither network, disks nor modules', () => {
      const config = readFileSync(kernel.config, 'utf8');
      expect(unfulfilled(readFragments(name), config)).toEqual([]);
      expect(config).not.toMatch(/^CONFIG_(NET|BLOCK|MODULES|SWAP|BPF_SYSCALL|IO_URING|KEXEC)=/m);
    });

    test('is entered by PVH', () => {
      expect(findNote(readFileSync(kernel.vmlinux), 'Xen', PHYS32_ENTRY)).toBe(true);
    });

    test('is an EFI application for x86-64', () => {
      const image = readFileSync(kernel.bzImage);
      expect(image.toString('latin1', 0, 2)).toBe('MZ');
      const header = image.readUInt32LE(0x3c);
      expect(image.toString('latin1', header, header + 4)).toBe('PE\0\0');
      expect(image.readUInt16LE(header + 4)).toBe(0x8664);
      expect(image.readUInt16LE(header + 24 + 68)).toBe(10); // EFI application
    });

    test('keeps its budgets of bytes and lines', () => {
      const lines: KernelLines = JSON.parse(readFileSync(kernel.lines, 'utf8'));
      expect(lines.total.code).toBeGreaterThan(300_000); // less: dependency files were not found
      expect(lines.total.code).toBeLessThanOrEqual(BUDGETS[name].lines);
      expect(statSync(kernel.bzImage).size).toBeLessThanOrEqual(BUDGETS[name].bytes);
    });

    test('tells nothing of the machine that it was built on', () => {
      const image = readFileSync(kernel.vmlinux).toString('latin1');
      expect(image).toMatch(/Linux version 6\.1\.\d+ \(mu@mu\)/);
      expect(image).not.toContain('/linux-source/');
      expect(image).not.toContain('/kernel-tree/');
    });
  });
}

/**
 * Type of the note that holds the 32-bit entry point: Xen's public/elfnote.h,
 * XEN_ELFNOTE_PHYS32_ENTRY.
 */
const PHYS32_ENTRY = 18;
const PT_NOTE = 4;

/**
 * Looks through an ELF file's PT_NOTE segments (ELF-64 object file format 1.5, figure 6 and note
 * section).
 */
function findNote(file: Buffer, name: string, type: number): boolean {
  const headers = Number(file.readBigUInt64LE(32));
  for (let i = 0; i < file.readUInt16LE(56); i++) {
    const at = headers + i * file.readUInt16LE(54);
    if (file.readUInt32LE(at) !== PT_NOTE) continue;
    let note = Number(file.readBigUInt64LE(at + 8));
    const end = note + Number(file.readBigUInt64LE(at + 32));
    while (note < end) {
      const [nameBytes, bytes] = [file.readUInt32LE(note), file.readUInt32LE(note + 4)];
      const found = file.toString('latin1', note + 12, note + 12 + nameBytes - 1);
      if (found === name && file.readUInt32LE(note + 8) === type) return true;
      note += 12 + Math.ceil(nameBytes / 4) * 4 + Math.ceil(bytes / 4) * 4;
    }
  }
  return false;
}
