/** What the command line says about projects. */
import type { MergeReport, Reader } from '../../src-contract/project.ts';
import { note } from './terminal.ts';

/** The command line reads and merges; it reviews nothing, so this name never gets into a log. */
export const commandLineReader: Reader = { readerId: 'command-line', name: 'command line', role: 'reader' };

/** Conflicts that are told one by one; the rest are in --json. */
const told = 10;

export function printConflicts({ conflicts }: MergeReport): void {
  for (const { register, kept, outrun } of conflicts.slice(0, told)) {
    note(`  changed on both sides: ${decodeURIComponent(register).replaceAll('&', ', ')}`);
    note(`    holds: ${kept}\n    outrun (kept in the log): ${outrun}`);
  }
  if (conflicts.length > told) note(`  and ${conflicts.length - told} more; --json lists them all`);
}
