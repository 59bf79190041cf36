/**
 * A kernel's configuration: `allnoconfig`, plus what our fragments (guest/linux/kernel/*.config)
 * ask for. Kconfig drops without a word what lacks a dependency; we don't. `diet` also leaves out
 * files that no option governs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../cache.ts';

/** `linux-usb` is `linux` with USB keyboards. */
export const KERNEL_NAMES = ['linux', 'linux-usb', 'diet'] as const;
export type KernelName = (typeof KERNEL_NAMES)[number];

const LINUX = [
  ...['base', 'smp', 'pvh', 'pc', 'serial'],
  ...['framebuffer', 'keyboard', 'filesystems', 'userspace'],
];

/** Which fragments make which kernel; later ones override earlier ones. */
export const FRAGMENTS: Record<KernelName, readonly string[]> = {
  linux: LINUX,
  'linux-usb': [...LINUX, 'usb'],
  diet: ['base', 'pvh', 'serial', 'diet'],
};

export const FRAGMENT_FOLDER = join(PROJECT_ROOT, 'guest/linux/kernel');

/** What a fragment asks for: `y`, `n`, a number or a quoted text. */
export interface Wish {
  option: string;
  value: string;
  fragment: string;
}

export function readFragments(name: KernelName): Wish[] {
  const wishes = new Map<string, Wish>();
  for (const fragment of FRAGMENTS[name]) {
    const file = join(FRAGMENT_FOLDER, `${fragment}.config`);
    for (const wish of parseFragment(readFileSync(file, 'utf8'), `${fragment}.config`)) {
      wishes.set(wish.option, wish);
    }
  }
  return [...wishes.values()];
}

/**
 * `CONFIG_X=value # why`, one per line; `CONFIG_X=n` for what must be off. Throws with file and
 * line.
 */
export function parseFragment(text: string, fragment: string): Wish[] {
  const wishes: Wish[] = [];
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const match = /^CONFIG_(\w+)=("[^"]*"|[^\s#]+)\s*(?:#.*)?$/.exec(line);
    if (!match) {
      throw new Error(
        `${fragment}:${index + 1}: expected CONFIG_NAME=value # why, or a comment; found: ${line}`,
      );
    }
    wishes.push({ option: match[1], value: match[2], fragment });
  });
  return wishes;
}

/**
 * Objects of Linux that a list of ours leaves out, as make names them: `mm/highmem.o # why`, one
 * per line. Throws with file and line.
 */
export function parseLeftOut(text: string, file: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const match = /^([\w/-]+\.o)\s*(?:#.*)?$/.exec(line);
    if (!match) {
      throw new Error(
        `${file}:${index + 1}: expected folder/name.o # why, or a comment; found: ${line}`,
      );
    }
    return [match[1]];
  });
}

/** The text for KCONFIG_ALLCONFIG. */
export function formatWishes(wishes: readonly Wish[]): string {
  return wishes.map(({ option, value }) => `CONFIG_${option}=${value}\n`).join('');
}

/** The wishes that a finished .config does not fulfil, one line each. */
export function unfulfilled(wishes: readonly Wish[], config: string): string[] {
  const actual = new Map<string, string>();
  for (const [, option, value] of config.matchAll(/^CONFIG_(\w+)=(.*)$/gm)) {
    actual.set(option, value);
  }
  return wishes
    .filter(({ option, value }) => (actual.get(option) ?? 'n') !== value)
    .map(
      ({ option, value, fragment }) =>
        `${fragment}: CONFIG_${option}=${value} came out as ${actual.get(option) ?? 'n'}`,
    );
}
