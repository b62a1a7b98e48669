/** Choices as they stand in papers and exams: one a line, usually lettered. */
import { type Options, optionLetters } from '../../src-contract/run-events.ts';

const lettered = /^\s*\(?([A-Da-d])[.):]\s*(.+?)\s*$/;

/** @returns null where the text is no list of two to four choices */
export function parseChoices(text: string): Options | null {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2 || lines.length > optionLetters.length) return null;
  const entries = lines.map((line, n) => {
    const match = lettered.exec(line);
    return match && match[1].toUpperCase() === optionLetters[n]
      ? ([optionLetters[n], match[2]] as const)
      : ([optionLetters[n], line.trim()] as const);
  });
  return Object.fromEntries(entries);
}
