/**
 * The host's end of guest/apps/evaluate.ts: requests out, logits in, over any guest's byte stream.
 */
import type { Evaluator } from './perplexity.ts';
import { createReceiver, lastWords, type Wire } from './wire.ts';

/** vocabulary: values per vector of logits, as the guest's model has it. */
export function createGuestEvaluator(wire: Wire, vocabulary: number): Evaluator {
  const { receive, awaitReady } = createReceiver(wire);
  return {
    vocabulary,
    async *evaluate(tokens, first) {
      await awaitReady();
      wire.input.write(encodeRequest(tokens, first));
      const logits = new Float32Array(vocabulary);
      const bytes = new Uint8Array(logits.buffer);
      for (let position = first; position < tokens.length; position++) {
        const received = await receive(bytes);
        if (received < bytes.length) {
          throw new Error(
            `the guest stopped before the logits of position ${position} of ${tokens.length}` +
              lastWords(bytes.subarray(0, received)),
          );
        }
        yield logits;
      }
    },
  };
}

/** u32 count, i32[count] tokens, u32 first, little endian. */
function encodeRequest(tokens: Int32Array, first: number): Buffer {
  const request = Buffer.alloc(8 + 4 * tokens.length);
  request.writeUInt32LE(tokens.length, 0);
  tokens.forEach((token, i) => {
    request.writeInt32LE(token, 4 + 4 * i);
  });
  request.writeUInt32LE(first, 4 + 4 * tokens.length);
  return request;
}
