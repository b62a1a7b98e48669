/** One question and its answer. React draws the frame; the words inside are drawn by StreamView. */
import { type KeyboardEvent, type MouseEvent, memo, useContext, useLayoutEffect, useRef } from 'react';
import { goToStep, isActive, lightStep, type Run, useRuns } from '../state/run-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { AnswerRules } from './answer-rules.tsx';
import { AnswerVerdict } from './answer-verdict.tsx';
import { askAgain } from './asking.ts';
import { KeepAtEnd } from './keep-at-end.ts';
import { StopNote } from './stop-note.tsx';
import { TurnActions } from './turn-actions.tsx';
import { TurnDetails } from './turn-details.tsx';
import { TurnQuestion } from './turn-question.tsx';
import { TurnStatus } from './turn-status.tsx';
import { useStream } from './use-stream.ts';

/** The step that an element of the text stands for. */
function stepOf(target: EventTarget): number | null {
  const found = target instanceof Element ? target.closest<HTMLElement>('[data-step]') : null;
  return found?.dataset.step === undefined ? null : Number(found.dataset.step);
}

function focusStep(body: HTMLElement, step: number): void {
  body.querySelector<HTMLElement>(`.chip[data-step="${step}"]`)?.focus();
}

export const Turn = memo(function Turn({ runId }: { runId: string }) {
  const run = useRuns(({ runs }) => runs[runId]);
  return run ? <TurnOf run={run} /> : null;
});

function TurnOf({ run }: { run: Run }) {
  const { runId, ask, answer, error } = run;
  const body = useRef<HTMLDivElement>(null);
  const { thinking, text, count, replay } = useStream(runId);
  const keepAtEnd = useContext(KeepAtEnd);
  // What React adds at the end (verdict, actions) makes the turn grow as text does.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the values are what it waits for.
  useLayoutEffect(keepAtEnd, [run.phase, answer, error, keepAtEnd]);
  const onClick = (event: MouseEvent): void => {
    const step = stepOf(event.target);
    if (step !== null) goToStep(runId, step);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const step = stepOf(event.target);
    if (direction === undefined || step === null) return;
    event.preventDefault();
    const next = Math.min(run.steps - 1, Math.max(0, step + direction));
    focusStep(event.currentTarget, next);
    goToStep(runId, next);
  };
  return (
    <article
      className="turn"
      data-testid="turn"
      data-phase={run.phase}
      aria-label={`Question: ${ask.question}`}
    >
      <TurnQuestion ask={ask} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: chips inside are the buttons; events bubble to one place. */}
      <div
        ref={body}
        className="turn-body"
        data-own-arrows=""
        onClick={onClick}
        onKeyDown={onKeyDown}
        onMouseOver={(event) => {
          const step = stepOf(event.target);
          if (step !== null) lightStep(runId, step);
        }}
        onMouseOut={(event) => {
          if (stepOf(event.target) !== null) lightStep(runId, null);
        }}
        onFocus={(event) => {
          const step = stepOf(event.target);
          if (step !== null) lightStep(runId, step);
        }}
        onBlur={(event) => {
          if (stepOf(event.target) !== null) lightStep(runId, null);
        }}
      >
        <TurnStatus run={run} count={count} />
        <details className="thinking" open>
          <summary>Reasoning</summary>
          <div ref={thinking} className="prose" data-testid="reasoning" />
        </details>
        <div className={`answer-block ${answer ? 'answer-over' : ''}`}>
          <AnswerVerdict run={run} />
          {answer && <p className="answer-missing dim">The model wrote no answer after its reasoning.</p>}
          <div ref={text} className="prose answer-text" data-testid="answer" />
        </div>
      </div>
      {answer && <AnswerRules run={run} />}
      <StopNote run={run} />
      {error && error.code !== 'cancelled' && (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void askAgain(ask)}>
            Ask again
          </button>
        </ErrorNote>
      )}
      {!isActive(run) && (
        <>
          <TurnActions run={run} replay={replay} />
          <TurnDetails run={run} />
        </>
      )}
    </article>
  );
}
