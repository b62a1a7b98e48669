/** Entry of the command line. */
import { CommanderError } from 'commander';
import { toReadroomError } from '../../src-contract/errors.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { buildProgram } from './program.ts';
import { printError } from './terminal.ts';

// A closed pipe (`… | head`) is the reader's way to say that it has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const program = buildProgram().exitOverride();
for (const command of program.commands) command.exitOverride();
try {
  await program.parseAsync(process.argv);
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    process.exitCode = thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  } else {
    const error = toReadroomError(thrown);
    printError(error.toPayload());
    if (error.code === 'internal' && thrown instanceof Error && thrown.stack)
      process.stderr.write(`${thrown.stack}\n`);
    process.exitCode = exitCodeOf(error.code);
  }
}
