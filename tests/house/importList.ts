import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { committedFiles, root } from './committed.ts';

/**
 * `import … from`, `export … from`, of values and of types; `import '…'`; and `import('…')` where
 * it is called.
 */
const IMPORT =
  /^\s*(?:import|(?:import|export)\b[^'"]*?\bfrom)\s+['"]([^'"]+)['"]|\bimport\(\s*'([^']+)'\s*\)/gm;

export interface Import {
  /** from the project's root folder */
  file: string;
  specifier: string;
}

/** Every import of src and guest. */
export const imports: readonly Import[] = committedFiles()
  .filter((file) => /^(src|guest)\/.*\.ts$/.test(file) && !file.endsWith('.d.ts'))
  .flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(IMPORT)].map(([, a, b]) => ({
      file,
      specifier: a ?? b,
    })),
  );
