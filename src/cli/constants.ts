/** What a guest is compiled with: as text for people, and as JSON, which `mu compile` reads. */
import type { Constant, Constants } from '../compiler/index.ts';

/** Of a table of more values only the first ones are for people. */
const VALUES_SHOWN = 8;

/** One a line: `DIM  576`. */
export function formatConstants(constants: Constants): string {
  const names = Object.keys(constants);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${format(constants[name])}\n`).join('');
}

function format(constant: Constant): string {
  if (typeof constant !== 'object') return String(constant);
  if (!('value' in constant)) return formatTable(constant);
  const { type, value } = constant;
  return `${type} ${typeof value === 'object' ? formatTable(value) : value}`;
}

function formatTable(values: readonly (number | bigint | string)[]): string {
  const shown = values.slice(0, VALUES_SHOWN).join(', ');
  return values.length > VALUES_SHOWN ? `[${shown}, … ${values.length} in all]` : `[${shown}]`;
}

/**
 * JSON whose numbers are exact, however large: a u64 has more digits than JSON.stringify writes.
 */
export function jsonConstants(constants: Constants): string {
  const text = JSON.stringify(
    constants,
    (_, value) => (typeof value === 'bigint' ? `#${value}#` : value),
    2,
  );
  return `${text.replace(/"#(-?\d+)#"/g, '$1')}\n`;
}

/** The reverse. */
export function parseConstants(json: string): Constants {
  const marked = json.replace(/([:,[]\s*)(-?\d{16,})(?=\s*[,\]}])/g, '$1"#$2#"');
  return JSON.parse(marked, (_, value) =>
    typeof value === 'string' && /^#-?\d+#$/.test(value) ? BigInt(value.slice(1, -1)) : value,
  );
}
