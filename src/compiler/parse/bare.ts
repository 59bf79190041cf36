/** Bare names in imports: what the build gives under them. */

import type { Constants } from './constants.ts';

/**
 * Bare specifier → file path, or constants. A name that ends with `/` stands for a folder, as in an
 * import map: { 'arch/': 'guest/arch/x86_64/' } makes `arch/cpu` the file guest/arch/x86_64/cpu.ts.
 */
export type BareModules = Record<string, string | Constants>;

/** undefined: the build gives nothing by this name. A file of a folder may not be there. */
export function resolveBare<T>(modules: Record<string, T>, name: string): T | string | undefined {
  if (Object.hasOwn(modules, name)) return modules[name];
  const slash = name.indexOf('/') + 1;
  const folder = Object.hasOwn(modules, name.slice(0, slash)) && modules[name.slice(0, slash)];
  return typeof folder === 'string' ? `${folder}${name.slice(slash)}.ts` : undefined;
}
