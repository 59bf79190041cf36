import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { registerBench } from './bench.ts';
import { registerBoot } from './boot.ts';
import { registerBuild } from './build.ts';
import { registerChat } from './chat.ts';
import { registerCompile } from './compile.ts';
import { registerDemo } from './demo.ts';
import { registerDoctor } from './doctor.ts';
import { registerFlash } from './flash.ts';
import { registerInspect } from './inspect.ts';
import { registerLines } from './lines.ts';
import { watchOutputs } from './outputs.ts';
import { registerPerplexity } from './perplexity.ts';
import { registerPull } from './pull.ts';
import { registerRun } from './run.ts';
import { registerSurface } from './surface.ts';
import {
  describeError,
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_USAGE,
  Interrupted,
  say,
} from './terminal.ts';
import { registerTest } from './test.ts';

const program = new Command('mu')
  .description('A language model becomes a bootable machine.')
  .version(manifest.version)
  .showHelpAfterError('(mu --help lists the commands)')
  .enablePositionalOptions()
  .exitOverride();

registerDemo(program);
registerChat(program);
registerRun(program);
registerBuild(program);
registerBoot(program);
registerFlash(program);
registerPerplexity(program);
registerBench(program);
registerPull(program);
registerInspect(program);
registerCompile(program);
registerLines(program);
registerSurface(program);
registerDoctor(program);
registerTest(program);

watchOutputs();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has printed its message; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  } else {
    say(describeError(error));
    process.exitCode = error instanceof Interrupted ? EXIT_INTERRUPTED : EXIT_FAILURE;
  }
}
