/**
 * What every stack begins with: model → pack → guest program. Both lie in the cache, so a second
 * start of the same model with the same options only looks them up.
 */
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Constants } from '../compiler/index.ts';
import type { ChatFacts, ChatOptions } from '../model/chat.ts';
import type { RopeScaling } from '../model/ropeScaling.ts';
import { PACK_FILE } from '../pack/format.ts';
import type { ForwardPlan } from '../plan/forward.ts';
import { type GuestMemory, memoryOf } from '../plan/memory.ts';
import type { CacheType } from '../plan/sizes.ts';
import { partsOf } from '../pull/partNames.ts';
import type { TargetName } from '../toolchain/architectures.ts';
import { contentHash, fileStamp } from '../toolchain/cache/content.ts';
import { removeUnused } from '../toolchain/cache/entry.ts';
import { cached, hashOf, hashSources } from '../toolchain/cache.ts';
import type { GuestMachine } from '../toolchain/clang.ts';
import { type CompiledGuest, compileGuest } from '../toolchain/guest.ts';
import type { VariantName } from '../toolchain/variants.ts';

export interface PackRequest {
  /** Path of a model file; of a split model, of its first part. */
  model: string;
  /** llama2.c: path of its tokenizer.bin. */
  tokenizer?: string;
  /**
   * Positions of a conversation; 0: the model's. Default: the same, within what the pack thinks
   * sensible.
   */
  context?: number;
  /** What the chat template's fixed texts are made for. */
  chat?: ChatOptions;
  /** How keys and values are cached. Default: f16. */
  kv?: CacheType;
  /** Called while a pack is written. */
  onProgress?: (written: number, total: number) => void;
}

export interface PreparedPack {
  /** Path of model.pack. */
  path: string;
  bytes: number;
  /** As it was written, in hexadecimal. */
  sha256: string;
  /** What the guest computes. */
  plan: ForwardPlan;
  constants: Constants;
  model: ModelFacts;
  wasCached: boolean;
}

/** What a person wants to know of the model that a pack was made from. */
export interface ModelFacts {
  name: string;
  format: string;
  architecture: string;
  fileBytes: number;
  layers: number;
  dim: number;
  vocabulary: number;
  /** A context of more positions has other RoPE frequencies (LongRoPE). */
  longRopeFrom?: number;
  hasChatTemplate: boolean;
  /** How its chat template is followed; absent if there is none that could be. */
  chat?: ChatFacts;
  /** Why its chat template cannot be used; absent if it can, or if there is none. */
  templateProblem?: string;
}

export interface GuestRequest extends PackRequest {
  /** Default: x86_64. */
  architecture?: TargetName;
  machine: GuestMachine;
  /** Default: chat. */
  app?: string;
  checked?: boolean;
  /** Only this CPU variant; default: whatever the CPU has, found out when it starts. */
  cpu?: VariantName;
  /** The older half of a full context makes room. Default: a full context ends the answer. */
  ctxShift?: boolean;
}

export interface PreparedGuest {
  pack: PreparedPack;
  guest: CompiledGuest;
  memory: GuestMemory;
  ctxShift: boolean;
}

export async function prepareGuest(request: GuestRequest): Promise<PreparedGuest> {
  const pack = await preparePack(request);
  const { architecture, machine, app = 'chat', checked, cpu, ctxShift = false } = request;
  const constants = { ...pack.constants, CONTEXT_SHIFT: ctxShift };
  const guest = await compileGuest({ architecture, machine, app, checked, cpu, constants });
  return { pack, guest, memory: memoryOf(guest.storage), ctxShift };
}

/** The pack of a model file, which is known by its content. */
export async function preparePack(request: PackRequest): Promise<PreparedPack> {
  const files = [...partsOf(request.model), ...(request.tokenizer ? [request.tokenizer] : [])];
  const stamps = files.map(stampOf);
  const contents = await Promise.all(files.map(contentOf));
  // The name goes into the pack where a model has none of its own.
  const key = hashOf([
    basename(request.model),
    contents,
    request.context ?? null,
    request.chat ?? {},
  ]);
  const sources = hashSources(['src/pack', 'src/plan', 'src/model'], ['.ts']);
  const made = await cached(join('pack', key.slice(0, 16)), sources, async (folder) => {
    await makePack(request, folder);
    const changed = files.find((file, i) => stampOf(file) !== stamps[i]);
    if (changed) throw new Error(`${changed} was changed while it was read: try again`);
  });
  const { folder, wasCached } = made;
  if (!wasCached) removeUnused(folder);
  const facts = JSON.parse(await readFile(join(folder, 'pack.json'), 'utf8'), reviveBigInt);
  const pack: PreparedPack = { ...facts, path: join(folder, PACK_FILE), wasCached };
  if (request.kv === undefined || request.kv === 'f16') return pack;
  const { withCacheType } = await import('../pack/cacheType.ts');
  return withCacheType(pack, request.kv);
}

/** Null for what is no file: opening it as a model says so better than we could. */
function stampOf(path: string): string | null {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? fileStamp(path) : null;
}

async function contentOf(path: string): Promise<string | null> {
  return stampOf(path) === null ? null : contentHash(path);
}

async function makePack(request: PackRequest, folder: string): Promise<void> {
  // Imported late: a cached pack needs no model reader.
  const { openModel } = await import('../model/index.ts');
  const { createPack, writePack } = await import('../pack/index.ts');
  const model = await openModel(request.model, { tokenizer: request.tokenizer });
  try {
    const pack = await createPack(model, { context: request.context, ...request.chat });
    const onProgress = request.onProgress;
    const sha256 = await writePack(join(folder, PACK_FILE), pack, (written) =>
      onProgress?.(written, pack.bytes),
    );
    const { bytes, plan, constants } = pack;
    const facts: ModelFacts = {
      name: model.name,
      format: model.format,
      architecture: model.architecture,
      fileBytes: model.fileBytes,
      layers: model.config.layers,
      dim: model.config.dim,
      vocabulary: model.config.vocabSize,
      longRopeFrom: longRopeFrom(model.config.ropeScaling),
      hasChatTemplate: model.chatTemplate !== undefined,
      chat: pack.chat,
      templateProblem: pack.templateProblem,
    };
    const text = JSON.stringify({ bytes, sha256, plan, constants, model: facts }, replaceBigInt);
    await writeFile(join(folder, 'pack.json'), text);
  } finally {
    await model.close();
  }
}

function longRopeFrom(scaling?: RopeScaling): number | undefined {
  const { divisors, originalContext } = scaling ?? {};
  return divisors && divisors.short !== divisors.long ? originalContext : undefined;
}

function replaceBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: value.toString() } : value;
}

function reviveBigInt(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('bigint' in value)) return value;
  return BigInt(value.bigint as string);
}
