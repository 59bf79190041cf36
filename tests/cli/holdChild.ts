/** Starts a child that would run for a long time, says its process id, then ends as it was told. */
import { startChild } from '../../src/toolchain/children.ts';

const child = startChild('sleep', ['1000']);
process.stdout.write(`${child.pid}\n`);
if (process.argv[2] === 'exit') setTimeout(() => process.exit(0), 50);
if (process.argv[2] === 'throw') {
  setTimeout(() => {
    throw new Error('uncaught');
  }, 50);
}
