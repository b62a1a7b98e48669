/** Files that the program is asked to open from outside: command line, 'Open with', a second start. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Paths among the arguments. Chromium adds switches of its own, before and after; in development the first argument that
 * is no switch is the program's folder.
 * @param packaged false when started as `electron FOLDER …`
 */
export function pathsOf(argv: readonly string[], workingFolder: string, packaged: boolean): string[] {
  return argv
    .slice(1)
    .filter((argument) => argument !== '' && !argument.startsWith('-'))
    .slice(packaged ? 0 : 1)
    .map((argument) => resolve(workingFolder, argument))
    .filter((path) => existsSync(path));
}
