import type { Command } from 'commander';

/** What `mu --help` says of a command, and the module that knows the rest. */
export interface CommandEntry {
  name: string;
  /** As commander prints it. tests/cli/start.test.ts compares it with what the module declares. */
  usage: string;
  description: string;
  /** The module's `configure` adds arguments, options and action. */
  load: () => Promise<{ configure: (command: Command) => void }>;
}

/**
 * All commands, in the order of the help. A module is imported only where its command is named on
 * the command line: `mu run` then starts without the compiler, `mu --version` without anything.
 */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'demo',
    usage: '[options]',
    description: 'fetch a model, build it, boot it in QEMU without operating system, ask it',
    load: () => import('./demo.ts'),
  },
  {
    name: 'chat',
    usage: '[options] [model]',
    description: 'talk to a model, natively',
    load: () => import('./chat.ts'),
  },
  {
    name: 'run',
    usage: '[options] <model>',
    description: 'answer one prompt, natively',
    load: () => import('./run.ts'),
  },
  {
    name: 'build',
    usage: '[options] <model>',
    description: 'build a bootable image',
    load: () => import('./build.ts'),
  },
  {
    name: 'boot',
    usage: '[options] <folder>',
    description: 'boot a built image in QEMU',
    load: () => import('./boot.ts'),
  },
  {
    name: 'flash',
    usage: '[options] <image> <device>',
    description: 'write a disk image to a USB stick, and check it',
    load: () => import('./flash.ts'),
  },
  {
    name: 'perplexity',
    usage: '[options] <model>',
    description: "a model's perplexity on a text, and its KL divergence from another model",
    load: () => import('./perplexity.ts'),
  },
  {
    name: 'bench',
    usage: '[options] <model>',
    description: 'tokens per second, and the part of the memory bandwidth that they use',
    load: () => import('./bench.ts'),
  },
  {
    name: 'pull',
    usage: '[options] [name]',
    description: 'fetch a model, or the boot loader Limine, into the cache and print its path',
    load: () => import('./pull.ts'),
  },
  {
    name: 'inspect',
    usage: '[options] <model>',
    description: 'say what a model file holds and what its guest will need',
    load: () => import('./inspect.ts'),
  },
  {
    name: 'compile',
    usage: '[options] <file>',
    description: 'compile a file of the guest language, to look at or to run',
    load: () => import('./compile.ts'),
  },
  {
    name: 'lines',
    usage: '[options] <stack>',
    description: 'how many lines of code a stack consists of, layer by layer',
    load: () => import('./lines.ts'),
  },
  {
    name: 'surface',
    usage: '[options] <kernels...>',
    description: 'what of a Linux kernel can be reached: system calls, drivers, file systems',
    load: () => import('./surface.ts'),
  },
  {
    name: 'doctor',
    usage: '[options]',
    description: 'list the tools that mu uses, and what installs the missing ones',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'test',
    usage: '[options] [arguments...]',
    description: 'set up what the tests need, then lint, check types and run them',
    load: () => import('./test.ts'),
  },
];
