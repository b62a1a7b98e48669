/** Names of files and people in an export: unique, safe on every system, and silent about the patient unless asked. */
import { createHash } from 'node:crypto';
import type { ExportRun } from './export-run.ts';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Letters, digits and dashes: no path, no reserved character, no leading dot. */
export function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return plain.slice(0, 60).replace(/-+$/, '');
}

export function caseName(run: ExportRun, identifiers: boolean): string {
  return identifiers ? run.caseTitle : `Case ${digest(run.caseId).slice(0, 8)}`;
}

/** The last part tells runs of one case apart; the same run has the same name in every export. */
export function runName(run: ExportRun, identifiers: boolean): string {
  return [slug(caseName(run, identifiers)), digest(run.runId).slice(0, 10)].filter(Boolean).join('-');
}

export function readerLabel(run: ExportRun, identifiers: boolean): string | null {
  if (!run.review) return null;
  if (identifiers && run.reader) return run.reader.name;
  return `Reader ${digest(run.review.readerId).slice(0, 6)}`;
}

/** A UID below 2.25 (PS3.5 annex B.2) that follows from the parts: the same finding keeps it in every export. */
export function uidOf(...parts: readonly string[]): string {
  const hex = digest(parts.join('\n')).slice(0, 32).split('');
  // Version 8 (custom) and variant bits, as RFC 9562 wants them in a UUID.
  hex[12] = '8';
  hex[16] = ((Number.parseInt(hex[16], 16) & 0x3) | 0x8).toString(16);
  return `2.25.${BigInt(`0x${hex.join('')}`).toString(10)}`;
}
