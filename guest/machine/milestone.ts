/** How far a machine's start has come, in this order. */
export enum Milestone {
  MemoryReady, // storage and stack can be used
  PackMapped, // all of the model pack can be read
  CoresUp,
}

/** Of the enum. */
export const MILESTONES: i32 = 3;
