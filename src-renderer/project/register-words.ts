/** Registers and their values (src-contract/review.ts) in words. */
import { decisionSchema } from '../../src-contract/review.ts';
import { decisionWords } from '../review/words.ts';

/** What a register key speaks of: 'kind=verdict&readerId=…&runId=…&step=1' is the decision on step 2. */
export function describeRegister(register: string): {
  readonly what: string;
  readonly readerId: string | null;
} {
  const parts = new URLSearchParams(register);
  const readerId = parts.get('readerId');
  const step = Number(parts.get('step') ?? parts.get('part') ?? 0) + 1;
  const names: Readonly<Record<string, string>> = {
    run: `The run ${parts.get('runId')}`,
    'case-title': 'Title of a case',
    'case-note': 'Note on a case',
    'case-removed': 'A case removed or not',
    assignment: 'Assignment of a case',
    blinding: 'Blinding',
    verdict: `Decision on step ${step}`,
    box: `Box of step ${step}`,
    added: 'An added box',
    sentence: `Words of step ${step}`,
    answer: 'Answer',
    comment: 'Comment on a run',
    reading: 'State of a reading',
  };
  const kind = parts.get('kind') ?? '';
  return { what: names[kind] ?? kind, readerId };
}

const longest = 200;

/** A value as JSON, as one reads it. */
export function describeValue(json: string): string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return json;
  }
  if (value === null) return 'taken away';
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && 'decision' in value) {
    const decision = decisionSchema.safeParse(value.decision);
    if (decision.success) return decisionWords[decision.data];
  }
  const words = JSON.stringify(value);
  return words.length > longest ? `${words.slice(0, longest)}…` : words;
}
