import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { onCacheNotice } from '../toolchain/cache/folders.ts';
import { COMMANDS } from './commands.ts';
import { watchOutputs } from './outputs.ts';
import {
  describeError,
  EXIT_FAILURE,
  EXIT_INTERRUPTED,
  EXIT_OK,
  EXIT_USAGE,
  Interrupted,
  say,
} from './terminal.ts';

const program = new Command('mu')
  .description('A language model becomes a bootable machine.')
  .version(manifest.version)
  .showHelpAfterError('(mu --help lists the commands)')
  .enablePositionalOptions()
  .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
  .exitOverride();

watchOutputs();
onCacheNotice(say);

try {
  // Only what is named is imported; the help shows the others from the table.
  for (const { name, usage, description, load } of COMMANDS) {
    const command = program.command(name).description(description).usage(usage);
    if (process.argv.includes(name, 2)) (await load()).configure(command);
  }
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
