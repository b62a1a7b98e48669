/** Tells a screen reader that an answer is there: once, at its end, not at every token. */

import { useRuns } from '../state/run-store.ts';
import { describeAnswer } from './answer-text.ts';

export function AnswerAnnouncer() {
  const run = useRuns(({ runs, lastEnded }) => (lastEnded === null ? undefined : runs[lastEnded]));
  return (
    <p className="visually-hidden" aria-live="polite" aria-atomic="true">
      {run ? describeAnswer(run) : ''}
    </p>
  );
}
