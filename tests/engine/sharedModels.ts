/** Model files that tests use where they are: $MU_MODELS, or the folder beside the checkout. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/toolchain/cache.ts';

const FOLDER = process.env.MU_MODELS || join(PROJECT_ROOT, '../shared/models');

/**
 * karpathy's 260K-parameter TinyStories model (MIT): a llama2.c checkpoint in F32 and its
 * tokenizer.
 */
export const stories260K = {
  model: join(FOLDER, 'stories260K.bin'),
  tokenizer: join(FOLDER, 'tok512.bin'),
};

export const hasStories260K = existsSync(stories260K.model) && existsSync(stories260K.tokenizer);

/** Stands in the name of what is skipped. */
export const NO_STORIES = `(needs stories260K.bin and tok512.bin in $MU_MODELS or ${FOLDER})`;

/**
 * What stories260K says at temperature 0 from nothing, 200 tokens with the start token. Published
 * with llama2.c: `expected_stdout` of test_all.py, commit 350e04f of karpathy/llama2.c (MIT).
 */
export const STORIES_TEXT = `Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she`;
