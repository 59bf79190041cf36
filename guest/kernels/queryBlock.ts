/** Queries that go through the KV cache together (attention.ts). */

/** How many at most. */
export const ROWS: i32 = 4;
/** Positions that they see at a time; a tile of them is a vector. */
export const CHUNK: i32 = 64;
export const CHUNK_TILES: i32 = CHUNK / 16;

/** One query of a block. */
class Query {
  out!: Ptr<f32>; // [HEAD_DIM]
  query!: Ptr<f32>; // [HEAD_DIM]
  position!: i32; // the last that it may see
}

/** Queries of one layer that share a key/value head, to be attended together. */
export class QueryBlock {
  count!: i32;
  queries!: FixedArray<Query, typeof ROWS>;
}

/**
 * Adds out[HEAD_DIM] ← attention of query[HEAD_DIM] to positions 0 … last. Returns whether the
 * block is full.
 */
export function addQuery(block: Ptr<QueryBlock>, out: Ptr<f32>, query: Ptr<f32>, last: i32): bool {
  const next = ref(block.queries[block.count]);
  next.out = out;
  next.query = query;
  next.position = last;
  block.count += 1;
  return block.count == ROWS;
}
