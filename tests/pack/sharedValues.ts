/**
 * Everything that host and guest both write down: where the host's definition is, how the guest's
 * is read, and a change of the guest's that must be noticed. What is only handed on, such as sizes
 * of the model, is generated into the guest's constants and needs no row here.
 */
import { MOST_PROCESSORS } from '../../src/cli/options.ts';
import { layoutFields } from '../../src/console/fields.ts';
import * as protocol from '../../src/console/protocol.ts';
import { DEFAULT_SETTINGS } from '../../src/console/settings.ts';
import { SEGMENT_END, SEGMENT_TEXT } from '../../src/model/chat/segment.ts';
import { TILE_ROWS, tileFormats } from '../../src/model/index.ts';
import { ACCEPT } from '../../src/model/tokenizer/automaton.ts';
import { CHARACTER_FIELDS, KINDS, MERGE_FIELDS } from '../../src/model/tokenizer/compile.ts';
import { NONE } from '../../src/model/tokenizer/symbols.ts';
import { HEADER_BYTES, ID_OFFSET, PACK_FILE, PACK_WORD } from '../../src/pack/format.ts';
import * as sizes from '../../src/plan/sizes.ts';
import { MOST_THREADS } from '../../src/stacks/process.ts';
import { DEBUG_EXIT_PORT } from '../../src/toolchain/architectures.ts';
import { PACK_FIELDS } from '../../src/toolchain/pe.ts';
import type { GuestModule, Mutation } from './guestModule.ts';

export interface SharedValue {
  group: string;
  what: string;
  /** The guest's, from the project's root. */
  file: string;
  host: unknown;
  guest(module: GuestModule): unknown;
  mutations: Mutation[];
}

/** Something that stands in the file exactly once becomes something else. */
function replacing(from: string, to: string): Mutation {
  return {
    what: `${from.trim()} → ${to.trim()}`,
    change(text) {
      const count = text.split(from).length - 1;
      if (count !== 1) throw new Error(`expected "${from}" once, found it ${count} times`);
      return text.replace(from, () => to);
    },
  };
}

const settings = 'guest/engine/settings.ts';
const characters = 'guest/console/characters.ts';
const weights = 'guest/engine/weights.ts';
const tokenizer = 'guest/engine/tokenizer.ts';
const quantize = 'guest/kernels/quantize.ts';
const tiles = 'guest/kernels/tileFormat.ts';

/** `const NAME: type = value`. The change is to another number. */
function constant(
  group: string,
  file: string,
  name: string,
  host: number | bigint,
  written: string,
): SharedValue {
  return {
    ...{ group, what: name, file, host: BigInt(host) },
    guest: (module) => module.constant(name),
    mutations: [replacing(`const ${name}: ${written}`, `const ${name}: ${other(written)}`)],
  };
}

/**
 * `i32 = 64` → `i32 = 65`, but always a power of two where it was one, so that what follows still
 * compiles.
 */
function other(written: string): string {
  const [type, value] = written.split(' = ');
  const number = BigInt(value);
  const isPower = number > 1n && (number & (number - 1n)) === 0n;
  return `${type} = 0x${(isPower ? number / 2n : number ^ 1n).toString(16)}`;
}

/**
 * An enum of the guest, whose members are called something else there. Each member is changed once.
 */
function members(
  group: string,
  file: string,
  name: string,
  host: Record<string, number>,
): SharedValue {
  return {
    ...{ group, what: `enum ${name}`, file, host },
    guest: (module) => {
      const found = module.members(name);
      return Object.fromEntries(Object.keys(host).map((key) => [key, found[key]]));
    },
    mutations: Object.entries(host).map(([member, value]) => {
      const isNumbered = ['Control', 'Flag'].includes(name);
      const written = isNumbered ? `  ${member} = ${value},` : `  ${member},`;
      return replacing(written, `  ${member} = 99,`);
    }),
  };
}

/** Names of fields, their types and places. Neighbours change places, and there is one more. */
function struct(
  group: string,
  file: string,
  name: string,
  host: { name: string; type: string; offset: number }[],
): SharedValue {
  const declared = (text: string) => {
    const [, body] = text.split(`class ${name} {\n`);
    return body.slice(0, body.indexOf('\n}\n')).split('\n');
  };
  const rewrite = (text: string, change: (lines: string[]) => string[]) => {
    const lines = declared(text);
    return text.replace(lines.join('\n'), () => change(lines).join('\n'));
  };
  const swap = (i: number) => (lines: string[]) => {
    const at = lines.flatMap((line, row) => (/^ {2}\w+!: /.test(line) ? [row] : []));
    const changed = [...lines];
    [changed[at[i]], changed[at[i + 1]]] = [lines[at[i + 1]], lines[at[i]]];
    return changed;
  };
  return {
    ...{ group, what: `struct ${name}`, file, host },
    guest: (module) => module.fields(name),
    mutations: [
      ...host.slice(1).map((field, i) => ({
        what: `${host[i].name} and ${field.name} change places`,
        change: (text: string) => rewrite(text, swap(i)),
      })),
      {
        what: 'one more field',
        change: (text) => rewrite(text, (lines) => [...lines, '  another!: u32;']),
      },
    ],
  };
}

/** Fields of a struct of the console protocol. */
function protocolFields(fields: Record<string, protocol.FieldType>) {
  const { offsets } = layoutFields(fields);
  return Object.entries(fields).map(([name, type]) => ({
    ...{ name, type, offset: offsets.get(name) ?? -1 },
  }));
}

/** Fields of u32, one after the other. */
function words(names: readonly string[]) {
  return names.map((name, i) => ({ name, type: 'u32', offset: 4 * i }));
}

const CONTROL = {
  StartOfHeading: protocol.SOH,
  StartOfText: protocol.STX,
  EndOfText: protocol.ETX,
  EndOfTransmission: protocol.EOT,
  Enquiry: protocol.ENQ,
  DataLinkEscape: protocol.DLE,
  Cancel: protocol.CAN,
};

/** The guest's name of each, in the order of its numbers. */
const STOPS: Record<protocol.StopReason, string> = {
  end: 'EndToken',
  limit: 'Limit',
  context: 'ContextFull',
  cancelled: 'Cancelled',
  promptTooLong: 'PromptTooLong',
  malformedRequest: 'Malformed',
  otherVersion: 'OtherVersion',
};
const FLAGS: Record<keyof typeof protocol.FLAGS, string> = {
  raw: 'Raw',
  forget: 'Forget',
  noStartToken: 'NoStart',
  hashLogits: 'HashLogits',
  segments: 'Segments',
};

const capital = (name: string) => name[0].toUpperCase() + name.slice(1);
const numbered = (names: readonly string[]) =>
  Object.fromEntries(names.map((name, number) => [name, number]));
const formats = Object.values(tileFormats);
const { temperature, topK, topP, minP, repeatPenalty, repeatLast, predict } = DEFAULT_SETTINGS;

export const sharedValues: SharedValue[] = [
  constant('pack header', weights, 'MAGIC', PACK_WORD, 'u64 = 0x04006b636170756d'),
  constant('pack header', weights, 'HEADER_BYTES', HEADER_BYTES, 'usize = 64'),
  constant('pack header', weights, 'ID_OFFSET', ID_OFFSET, 'usize = 8'),

  members('roles', weights, 'Role', numbered(sizes.ROLES.map(capital))),
  constant('roles', weights, 'ROLES', sizes.ROLES.length, 'i32 = 7'),

  members('tile formats', tiles, 'TileFormat', numbered(Object.keys(tileFormats))),
  {
    ...{ group: 'tile formats', what: 'columns of blocks', file: tiles },
    host: formats.map(({ columns }) => BigInt(columns)),
    guest: (module) => module.table('BLOCK_COLUMNS'),
    mutations: [replacing('[1, 1, 1, 32, 32,', '[1, 1, 1, 32, 16,')],
  },
  {
    ...{ group: 'tile formats', what: 'bytes of blocks', file: tiles },
    host: formats.map(({ bytes }) => BigInt(bytes)),
    guest: (module) => module.table('BLOCK_BYTES'),
    mutations: [replacing('544, 288, 320', '544, 288, 352')],
  },
  {
    ...{ group: 'tile formats', what: 'bytes of heads', file: tiles },
    host: formats.map(({ head }) => head),
    guest: (module) => {
      const halves = module.table('HALVES').map(Number);
      return module.table('HEADS').map((has, i) => Number(has) * halves[i] * 32);
    },
    mutations: [replacing('2, 2, 2, 1]', '2, 2, 2, 2]'), replacing('0, 1, 1, 1]', '0, 0, 1, 1]')],
  },
  {
    ...{ group: 'tile formats', what: 'bits of weights', file: tiles },
    host: formats.map(({ bits }) => BigInt(bits)),
    guest: (module) => module.table('WEIGHT_BITS'),
    mutations: [replacing('5, 5, 4, 5, 6]', '5, 5, 4, 5, 5]')],
  },
  constant('tile formats', tiles, 'TILE_ROWS', TILE_ROWS, 'i32 = 16'),

  {
    ...{ group: '8-bit activations', what: 'columns of a line', file: quantize },
    host: `FixedArray<i8, ${sizes.LINE_COLUMNS}>`,
    guest: (module) => module.fields('Activations')[0].type,
    mutations: [replacing('quants!: FixedArray<i8, 32>', 'quants!: FixedArray<i8, 64>')],
  },
  {
    ...{ group: '8-bit activations', what: 'groups of a line', file: quantize },
    host: `FixedArray<f32, ${sizes.LINE_COLUMNS / sizes.GROUP_COLUMNS}>`,
    guest: (module) => module.fields('Activations')[1].type,
    mutations: [replacing('scales!: FixedArray<f32, 2>', 'scales!: FixedArray<f32, 4>')],
  },
  constant('8-bit activations', quantize, 'PANEL_TOKENS', sizes.PANEL_TOKENS, 'i32 = 8'),

  constant('KV cache', 'guest/kernels/queryBlock.ts', 'CHUNK', sizes.KV_CHUNK, 'i32 = 64'),
  constant('KV cache', 'guest/kernels/keyValues8.ts', 'KV_GROUP', sizes.KV_GROUP, 'i32 = 16'),

  constant('chat', 'guest/engine/prompt.ts', 'SEGMENT_TEXT', SEGMENT_TEXT, 'u32 = 0x80000000'),
  constant('chat', 'guest/engine/prompt.ts', 'SEGMENT_END', SEGMENT_END, 'u32 = 0xffffffff'),

  constant('tokenizer', tokenizer, 'SENTENCE_PIECE', KINDS.spm, 'i32 = 1'),
  constant('tokenizer', tokenizer, 'NONE', NONE, 'u32 = 0xffffffff'),
  constant('tokenizer', tokenizer, 'ACCEPT', ACCEPT, 'u16 = 0x8000'),
  struct('tokenizer', tokenizer, 'Merge', words(MERGE_FIELDS)),
  struct('tokenizer', tokenizer, 'Character', words(CHARACTER_FIELDS)),

  members('console characters', characters, 'Control', CONTROL),
  constant('console characters', characters, 'ESCAPED', protocol.ESCAPE_XOR, 'i32 = 0x40'),

  constant('protocol', settings, 'PROTOCOL_VERSION', protocol.PROTOCOL_VERSION, 'u8 = 3'),
  struct('Settings', settings, 'Settings', protocolFields(protocol.SETTINGS_FIELDS)),
  members(
    'Settings',
    settings,
    'Flag',
    Object.fromEntries(
      Object.entries(protocol.FLAGS).map(([name, bit]) => [FLAGS[name as 'raw'], bit]),
    ),
  ),
  {
    ...{ group: 'Settings', what: 'defaults of a typed line', file: settings },
    host: { temperature, topK, topP, minP, repeatPenalty, repeatLast, predict },
    guest: (module) => {
      const { version, seed, flags, ...found } = module.assigned('setDefaults');
      const numbers = Object.entries(found).map(([name, value]) => [
        name,
        // f32, as the host writes it: 0.8
        Number(Number(value).toPrecision(7)),
      ]);
      return Object.fromEntries(numbers);
    },
    mutations: Object.entries({
      temperature,
      topK,
      topP,
      minP,
      repeatPenalty,
      repeatLast,
      predict,
    }).map(([name, value]) =>
      replacing(`settings.${name} = ${value};`, `settings.${name} = ${value + 1};`),
    ),
  },
  struct('Report', settings, 'Report', protocolFields(protocol.REPORT_FIELDS)),
  members('Report', settings, 'Stop', numbered(protocol.STOP_REASONS.map((name) => STOPS[name]))),

  constant('cores', 'guest/machine/pool.ts', 'MAX_CORES', MOST_THREADS, 'i32 = 64'),
  constant('cores', 'guest/machine/limits.ts', 'MOST_CORES', MOST_PROCESSORS.unikernel, 'i32 = 16'),

  constant('QEMU', 'guest/arch/x86_64/layout.ts', 'DEBUG_EXIT', DEBUG_EXIT_PORT, 'u16 = 0xf4'),
  constant(
    'EFI application',
    'guest/machine/uefi/layout.ts',
    'PACK_START',
    PACK_FIELDS,
    'usize = 0x1018',
  ),
  {
    ...{ group: 'EFI application', what: 'the pack’s file', file: 'guest/machine/uefi/pack.ts' },
    host: [...`\\${PACK_FILE}\0`].map((letter) => BigInt(letter.charCodeAt(0))),
    guest: (module) => module.table('NAME'),
    mutations: [replacing('0x5c, 0x6d', '0x5c, 0x6e')],
  },
];
