/**
 * What becomes of a command whose outputs cannot be written: its exit code says whether the answer
 * was whole.
 */
import { fstatSync, writeSync } from 'node:fs';
import { describeError, EXIT_FAILURE, EXIT_OK, say } from './terminal.ts';

/**
 * Standard output carries the answer: if it cannot be written, that is one line on standard error,
 * and exit code 1; a reader that stops early (mu run … | head) has what it wanted. Standard error
 * only comments: losing it is no failure.
 */
export function watchOutputs(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT_OK);
    const problem = `standard output cannot be written, the answer is not whole: ${error.message}`;
    say(describeError(problem));
    process.exit(EXIT_FAILURE);
  });
  if (fstatSync(process.stdout.fd).isFile()) process.stdout._write = writeWhole;
}

/** Into a file, Node takes a short write (a disk that is nearly full) for a whole one. */
function writeWhole(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
  try {
    for (let at = 0; at < chunk.length; ) at += writeSync(process.stdout.fd, chunk, at);
    done();
  } catch (error) {
    done(error as Error);
  }
}
