/** Files that the program is asked to open from outside: command line, 'Open with', a second start. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Paths among the arguments. Chromium adds switches of its own; in development the first argument is the program's
 * folder.
 * @param packaged false when started as `electron FOLDER …`
 */
export function pathsOf(argv: readonly string[], workingFolder: string, packaged: boolean): string[] {
  return argv
    .slice(packaged ? 1 : 2)
    .filter((argument) => argument !== '' && !argument.startsWith('-'))
    .map((argument) => resolve(workingFolder, argument))
    .filter((path) => existsSync(path));
}
