import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Constants } from '../compiler/index.ts';
import { cached, hashOf, hashSources, PROJECT_ROOT } from '../toolchain/cache.ts';
import { clangVersion, runTool, wasmArguments } from '../toolchain/clang.ts';
import { compileTokenizer, type Model, splitSpecial } from './index.ts';

export interface HostTokenizer {
  /** Tokens of a text, as the guest makes them. */
  encode(text: string | Uint8Array, options?: EncodeOptions): number[];
  /** What the tokens print. */
  decode(tokens: Iterable<number>): Uint8Array;
}

export interface LoadOptions {
  /** Bytes of the longest text. Default: 1 MiB. */
  maxText?: number;
  /** Trap on whatever a checked guest traps on. */
  checked?: boolean;
}

export interface EncodeOptions {
  /** Begin with the start token. Default: as the model wants it. */
  addBos?: boolean;
  /**
   * Control tokens written out in the text (`<|im_end|>`) count as such. Default: false, as in a
   * guest.
   */
  parseSpecial?: boolean;
}

/** Bytes of a text; what a guest has is set by its pack. */
const DEFAULT_MAX_TEXT = 1 << 20;

/** The part of JavaScript's WebAssembly that this file uses; Node's types have only its name. */
const { instantiate } = (globalThis as unknown as { WebAssembly: WasmEngine }).WebAssembly;

interface WasmEngine {
  instantiate(bytes: Uint8Array): Promise<{ instance: { exports: unknown } }>;
}

/** What guest/apps/tokenizer.ts exports. Addresses are in the module's memory. */
interface TokenizerModule {
  memory: { readonly buffer: ArrayBuffer };
  packStart(): number;
  textStart(): number;
  tokenStart(): number;
  encodeText(length: number, isStart: number): number;
  pieceAddress(token: number): number;
  pieceBytes(token: number): number;
}

/**
 * The guest's own tokenizer for a model, compiled to WebAssembly: for tools on the host that need
 * the same tokens.
 *
 *     const tokenizer = await loadTokenizer(model)
 *     tokenizer.encode('Why is the sky blue?') // [6004, …]
 */
export async function loadTokenizer(
  model: Pick<Model, 'tokenizer'>,
  { maxText = DEFAULT_MAX_TEXT, checked = false }: LoadOptions = {},
): Promise<HostTokenizer> {
  const { sections, constants } = compileTokenizer(model);
  const { tables, offsets } = layOut(sections);
  const tableConstants: Constants = { TOKENIZER_TABLE_BYTES: tables.length };
  const sizes: Constants = { TOKENIZER_MAX_TEXT: maxText };
  const all = { ...constants, ...offsets, ...tableConstants, ...sizes };
  const wasm = await compileModule(all, checked);
  const { instance } = await instantiate(wasm);
  const guest = instance.exports as TokenizerModule;
  const memory = () => new Uint8Array(guest.memory.buffer);
  memory().set(tables, guest.packStart());

  const encodeBytes = (bytes: Uint8Array, isStart: boolean): number[] => {
    if (bytes.length > maxText) {
      throw new RangeError(`a text of ${bytes.length} bytes; this tokenizer takes ${maxText}`);
    }
    memory().set(bytes, guest.textStart());
    const count = guest.encodeText(bytes.length, isStart ? 1 : 0);
    return Array.from(new Int32Array(guest.memory.buffer, guest.tokenStart(), count));
  };
  const { tokenizer } = model;
  return {
    encode(text, { addBos = tokenizer.addBos, parseSpecial = false } = {}) {
      const bytes = Buffer.from(text as string);
      const start = addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
      if (!parseSpecial) return [...start, ...encodeBytes(bytes, true)];
      let isStart = true;
      const parts = splitSpecial(tokenizer, bytes.toString('latin1')).map((part) => {
        const tokens =
          typeof part === 'number' ? [part] : encodeBytes(Buffer.from(part, 'latin1'), isStart);
        isStart = typeof part === 'number';
        return tokens;
      });
      return [...start, ...parts.flat()];
    },
    decode(tokens) {
      const pieces = Array.from(tokens, (token) => {
        if (!(token >= 0 && token < tokenizer.pieces.length))
          throw new RangeError(`token ${token}`);
        const at = guest.pieceAddress(token);
        return memory().slice(at, at + guest.pieceBytes(token));
      });
      return new Uint8Array(Buffer.concat(pieces));
    },
  };
}

/** The tables one after the other, and where each lies: what the pack is for a guest. */
function layOut(sections: { name: string; bytes: Uint8Array }[]) {
  const offsets: Constants = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of sections) {
    const constant = name.replace(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase();
    offsets[constant] = { type: 'usize', value: at };
    const padding = new Uint8Array((64 - (bytes.length % 64)) % 64);
    parts.push(bytes, padding);
    at += bytes.length + padding.length;
  }
  return { tables: Buffer.concat(parts), offsets };
}

/** guest/apps/tokenizer.ts for these constants, out of the cache if it has been compiled before. */
async function compileModule(constants: Constants, checked: boolean): Promise<Uint8Array> {
  const sources = hashSources(['guest', 'src/compiler', 'src/toolchain'], ['.ts']);
  const key = hashOf([sources, constants, checked, clangVersion()]);
  const { folder } = await cached('tokenizer', key, async (folder) => {
    // Imported late: a cached module needs no compiler.
    const { compileToC, formatDiagnostic } = await import('../compiler/index.ts');
    const entry = join(PROJECT_ROOT, 'guest/apps/tokenizer.ts');
    const modules = { machine: entry, model: constants };
    const { c, diagnostics } = compileToC({ entry, modules, target: { arch: 'wasm32' }, checked });
    if (diagnostics.length > 0) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
    const source = join(folder, 'tokenizer.c');
    writeFileSync(source, c);
    runTool('clang', wasmArguments(source, join(folder, 'tokenizer.wasm')));
  });
  return readFileSync(join(folder, 'tokenizer.wasm'));
}
