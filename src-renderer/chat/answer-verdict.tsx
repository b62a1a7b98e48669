/** The letter of a multiple choice answer, large. Its place is kept from the first word on, so that nothing moves. */
import type { Run } from '../state/run-store.ts';
import { headlineLetter } from './answer-text.ts';
import { hasOptions } from './composer-store.ts';

export function AnswerVerdict({ run }: { run: Run }) {
  if (!hasOptions(run.ask.options)) return null;
  const letter = headlineLetter(run);
  const open = run.phase !== 'ended';
  return (
    <span
      className={`verdict ${letter === null ? 'verdict-open' : ''}`}
      data-testid="verdict"
      title={letter === null && !open ? 'No rule finds a choice in this answer.' : undefined}
    >
      {letter ?? (open ? '·' : '–')}
    </span>
  );
}
