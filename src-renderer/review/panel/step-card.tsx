/** One step of the model: its words, what it looked at, where, and what the reader says of it. */
import { memo } from 'react';
import { rejectReasons } from '../../../src-contract/review.ts';
import { sourceBoxOf } from '../../../src-contract/source-box.ts';
import { chipLabel, chipTitle } from '../../chat/wording.ts';
import { stepColour } from '../../state/run-boxes.ts';
import { IconButton } from '../../ui/icon-button.tsx';
import {
  accept,
  clearDecision,
  goTo,
  redraw,
  showPlace,
  startCorrect,
  startReject,
  startTyping,
} from '../decisions.ts';
import { DraftMark } from '../drafts/draft-mark.tsx';
import { boxIds, isDone, useReview } from '../review-store.ts';
import { decisionWords, plainWords } from '../words.ts';
import { BoxFacts } from './box-facts.tsx';
import { Crops } from './crops.tsx';
import { RejectForm } from './forms/reject-form.tsx';
import { Sentence } from './forms/sentence.tsx';
import { OthersOnStep } from './others/others-on-step.tsx';

export const StepCard = memo(function StepCard({ step }: { step: number }) {
  const found = useReview(({ session }) => session?.summary.steps[step]);
  const started = useReview(({ session }) => session?.summary.started);
  const runId = useReview(({ session }) => session?.runId);
  const verdict = useReview(({ own }) => own?.verdicts[step]);
  const box = useReview(({ own }) => own?.boxes[step] ?? null);
  const here = useReview(({ place }) => place.kind === 'step' && place.step === step);
  const rejecting = useReview(({ typing }) => typing?.kind === 'reject' && typing.step === step);
  const amending = useReview(({ typing }) => typing?.kind === 'sentence' && typing.part === step);
  const correcting = useReview((state) => state.correcting === step);
  const done = useReview(isDone);
  if (!found || !runId) return null;
  const mode = started?.mode ?? '2d';
  const at = (what: () => void) => () => {
    goTo({ kind: 'step', step }, false);
    what();
  };
  const amend = () => startTyping({ kind: 'sentence', part: step });
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: J, K and the step's own button do the same.
    <article
      className={`card step-${stepColour(step)}`}
      onClick={(event) => {
        const isControl =
          event.target instanceof Element && event.target.closest('button, input, textarea, a');
        if (!here && !isControl) goTo({ kind: 'step', step });
      }}
      aria-current={here}
      aria-label={`Step ${step + 1}`}
      data-testid="review-step"
      data-step={step}
      data-decision={verdict?.decision ?? 'open'}
    >
      <header className="card-head">
        <button
          type="button"
          className={`chip step-${stepColour(step)}`}
          title={chipTitle(found.box, mode)}
          onClick={() => goTo({ kind: 'step', step })}
        >
          {chipLabel(found.box, mode)}
        </button>
        {verdict && (
          <span className={`decision decision-${verdict.decision}`} data-testid="decision">
            {decisionWords[verdict.decision]}
          </span>
        )}
        {!rejecting && (
          <DraftMark about={runId} form={`reject:${step}`} what="rejection" onOpen={at(startReject)} />
        )}
        {!amending && (
          <DraftMark about={runId} form={`sentence:${step}`} what="amendment" onOpen={at(amend)} />
        )}
        <span className="spacer" />
        {verdict && !done && (
          <button type="button" className="link small" onClick={at(() => clearDecision(step))}>
            Clear
          </button>
        )}
      </header>
      <Sentence part={step} original={plainWords(found.text)} />
      {found.crop && <Crops images={found.crop.images} step={step} />}
      <BoxFacts
        model={sourceBoxOf(found.box.located)}
        box={box}
        id={boxIds.corrected(runId, step)}
        sliceZeroOnly={found.box.sliceZeroOnly}
        editing={correcting && !done}
      />
      {verdict && (verdict.reasons.length > 0 || verdict.comment !== '') && !rejecting && (
        <p className="small verdict-words">
          {[verdict.reasons.map((reason) => rejectReasons[reason]).join(', '), verdict.comment]
            .filter(Boolean)
            .join('. ')}
        </p>
      )}
      <OthersOnStep step={step} model={sourceBoxOf(found.box.located)} />
      {rejecting ? (
        <RejectForm runId={runId} step={step} verdict={verdict} />
      ) : (
        !done && (
          <div className="card-actions" role="toolbar" aria-label={`Decide on step ${step + 1}`}>
            <Decide
              label="Accept"
              keys="A"
              pressed={verdict?.decision === 'accept'}
              onClick={at(accept)}
              id="accept"
            />
            <Decide
              label="Reject"
              keys="R"
              pressed={verdict?.decision === 'reject'}
              onClick={at(startReject)}
              id="reject"
            />
            <Decide
              label={correcting ? 'Correcting' : 'Correct'}
              keys="C"
              pressed={verdict?.decision === 'correct' || correcting}
              onClick={at(startCorrect)}
              id="correct"
            />
            <span className="spacer" />
            {correcting && <Decide label="Draw anew" keys="D" onClick={at(redraw)} id="redraw" />}
            <IconButton
              icon="edit"
              label="Amend the sentence (E)"
              data-testid="step-amend"
              onClick={at(amend)}
            />
            <IconButton
              icon="search"
              label="Zoom to the box (Z)"
              data-testid="step-zoom"
              onClick={at(() => showPlace(true))}
            />
          </div>
        )
      )}
    </article>
  );
});

interface DecideProps {
  readonly label: string;
  readonly keys: string;
  readonly id: string;
  readonly pressed?: boolean;
  readonly onClick: () => void;
}

function Decide({ label, keys, id, pressed, onClick }: DecideProps) {
  return (
    <button
      type="button"
      className={`toggle decide decide-${id}`}
      aria-pressed={pressed}
      title={`${label} (${keys})`}
      data-testid={`step-${id}`}
      onClick={onClick}
    >
      {label}
      <kbd>{keys}</kbd>
    </button>
  );
}
