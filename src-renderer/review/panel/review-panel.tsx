/** The right-hand side while a run is read: its steps one under the other, each with a decision. */
import { useEffect, useRef } from 'react';
import { useProject } from '../../project/project-store.ts';
import { ErrorNote } from '../../ui/error-note.tsx';
import { startAdding } from '../decisions.ts';
import { closeRun, openImages } from '../open-run.ts';
import { reveal } from '../reading.ts';
import { isBlind, useReview } from '../review-store.ts';
import { AddedCard } from './added-card.tsx';
import { AnswerCard } from './answer-card.tsx';
import { ClosingCard } from './closing-card.tsx';
import { ReadingComment } from './forms/reading-comment.tsx';
import { OthersOnRun } from './others/others-on-run.tsx';
import { ReviewFoot } from './review-foot.tsx';
import { ReviewHead } from './review-head.tsx';
import { ReviewStart } from './review-start.tsx';
import { StepCard } from './step-card.tsx';
import './review.css';

export function ReviewPanel() {
  const session = useReview((state) => state.session);
  const opening = useReview((state) => state.opening);
  const failure = useReview((state) => state.failure);
  return (
    <section className="review" aria-label="Review" data-testid="review-panel">
      <ReviewHead />
      {failure && <ErrorNote error={failure} />}
      {opening !== null && (
        <p className="review-note dim" role="status">
          Opening the run
        </p>
      )}
      {opening === null && (session ? <Reading key={session.runId} /> : <ReviewStart />)}
    </section>
  );
}

function Reading() {
  const session = useReview((state) => state.session);
  const added = useReview(({ own }) => own?.added);
  const place = useReview((state) => state.place);
  // Whether the model is hidden depends on the project as well.
  useProject(({ view }) => view?.blinding.model);
  const blind = useReview(isBlind);
  const list = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the place is what it waits for.
  useEffect(() => {
    list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [place]);
  if (!session) return null;
  const { trace, summary } = session;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area needs the focus to be scrolled with keys. */}
      <section ref={list} className="review-scroll" tabIndex={0} aria-label="Steps of the run">
        <header className="review-question">
          <p className="question-text">{trace.question}</p>
          <p className="small dim review-about">
            {[
              summary.started?.model.name,
              new Date(trace.createdAt).toLocaleString(),
              trace.synthetic ? 'synthetic' : null,
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
          <button type="button" className="link small" onClick={() => void closeRun()}>
            Choose another run
          </button>
        </header>
        <ImagesNote />
        {blind ? (
          <BlindNote />
        ) : (
          <>
            {summary.steps.length === 0 && (
              <p className="review-note dim">The model drew no box in this run.</p>
            )}
            {summary.steps.map(({ step }) => (
              <StepCard key={step} step={step} />
            ))}
            <ClosingCard />
          </>
        )}
        <AnswerCard blind={blind} />
        {Object.keys(added ?? {}).map((boxId, n) => (
          <AddedCard key={boxId} boxId={boxId} number={n + 1} />
        ))}
        <button type="button" className="button review-add" data-testid="add-box" onClick={startAdding}>
          {blind ? 'Draw a box' : 'Add a box that the model missed'} <kbd>B</kbd>
        </button>
        <HiddenNote />
        <OthersOnRun />
        <ReadingComment />
      </section>
      <ReviewFoot />
    </>
  );
}

/** What is with the images, where they are not simply there. */
function ImagesNote() {
  const images = useReview((state) => state.images);
  if (images.state === 'open') return null;
  if (images.state === 'opening') {
    return (
      <p className="review-note dim" role="status">
        Opening the images
      </p>
    );
  }
  return (
    <div className="review-note" data-testid="images-missing">
      <p>The images of this case are not open. The steps can be read; boxes need the images.</p>
      {images.error && (
        <p className="dim">{[images.error.message, images.error.remedy].filter(Boolean).join(' ')}</p>
      )}
      <button type="button" className="button" onClick={() => void openImages()}>
        Find the images…
      </button>
    </div>
  );
}

function BlindNote() {
  return (
    <div className="review-note" data-testid="blind-note">
      <p>
        The model&apos;s reasoning and boxes are hidden. Look at the images, draw what you see, answer the
        question; then show what the model said.
      </p>
      <button type="button" className="button" data-testid="reveal" onClick={() => void reveal()}>
        Show the model&apos;s reasoning
      </button>
    </div>
  );
}

function HiddenNote() {
  const hidden = useReview((state) => state.hidden);
  if (hidden === 0) return null;
  return (
    <p className="review-note dim small" data-testid="hidden-note">
      {hidden === 1 ? "One other reader's marks are" : `Marks of ${hidden} other readers are`} hidden until
      you have finished your reading.
    </p>
  );
}
