/** The words of two runs beside each other. */
import { diffWordsWithSpace } from 'diff';
import type { DiffPiece } from '../../../src-contract/comparison.ts';

/** Milliseconds after which two texts (megabytes of an imported trace) count as altogether different. */
const timeout = 2_000;

/** A step's words as a person reads them: without the box, which is compared as a box, and without special tokens. */
export function wordsOf(text: string): string {
  return text
    .replace(/<\|box_start\|>[\s\S]*?<\|box_end\|>/g, '')
    .replace(/<\|[a-z_]+\|>/g, '')
    .replace(/<\/?think>/gi, '')
    .replace(/[^\S\n]+/g, ' ')
    .trim();
}

/** Pieces in order: those of 'both' and 'a' make up text a, those of 'both' and 'b' text b. */
export function diffWords(a: string, b: string): DiffPiece[] {
  const changes = diffWordsWithSpace(a, b, { timeout }) ?? [
    { value: a, removed: true, added: false },
    { value: b, removed: false, added: true },
  ];
  return changes
    .filter(({ value }) => value !== '')
    .map(({ value, added, removed }) => ({ side: removed ? 'a' : added ? 'b' : 'both', text: value }));
}
