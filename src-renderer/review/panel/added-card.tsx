/** A box that the model missed: what it is, and which sentence speaks of it. */
import { goTo, redraw, removeAdded, setAdded, showPlace, startTyping } from '../decisions.ts';
import { DraftMark } from '../drafts/draft-mark.tsx';
import { boxIds, isBlind, isDone, useReview } from '../review-store.ts';
import { plainWords } from '../words.ts';
import { BoxFacts } from './box-facts.tsx';
import { WordsForm } from './forms/words-form.tsx';

export function AddedCard({ boxId, number }: { boxId: string; number: number }) {
  const added = useReview(({ own }) => own?.added[boxId]);
  const session = useReview((state) => state.session);
  const here = useReview(({ place }) => place.kind === 'added' && place.boxId === boxId);
  const typing = useReview((state) => state.typing?.kind === 'label' && state.typing.boxId === boxId);
  const done = useReview(isDone);
  const blind = useReview(isBlind);
  if (!added || !session) return null;
  const go = () => goTo({ kind: 'added', boxId });
  const at = (what: () => void): void => {
    go();
    what();
  };
  return (
    <article
      className="card reader-0"
      aria-current={here}
      aria-label={`Added box ${number}`}
      data-testid="added-card"
    >
      <header className="card-head">
        <button type="button" className="chip" onClick={go}>
          +{number}
        </button>
        <span className="decision">Added by you</span>
        {!typing && (
          <DraftMark
            about={session.runId}
            form={`label:${boxId}`}
            what="label"
            onOpen={() => at(() => startTyping({ kind: 'label', boxId }))}
          />
        )}
        <span className="spacer" />
        {!done && (
          <button
            type="button"
            className="link small"
            data-testid="remove-added"
            onClick={() => removeAdded(boxId)}
          >
            Remove
          </button>
        )}
      </header>
      {typing ? (
        <WordsForm
          label="What it is"
          value={added.label}
          about={session.runId}
          form={`label:${boxId}`}
          testId="label-field"
          short
          onKeep={(words) => setAdded(boxId, { label: words.trim() })}
          onClose={() => startTyping(null)}
        />
      ) : (
        <button
          type="button"
          className="link added-label"
          disabled={done}
          onClick={() => {
            go();
            startTyping({ kind: 'label', boxId });
          }}
        >
          {added.label || 'Say what it is'}
        </button>
      )}
      <BoxFacts
        model={null}
        box={added.box}
        id={boxIds.added(session.runId, boxId)}
        editing={here && !done}
      />
      {!blind && session.summary.steps.length > 0 && (
        <label className="small relate">
          Belongs to{' '}
          <select
            className="field select"
            disabled={done}
            data-testid="relate"
            value={added.part ?? ''}
            onChange={(event) =>
              void setAdded(boxId, { part: event.target.value === '' ? null : Number(event.target.value) })
            }
          >
            <option value="">no sentence</option>
            {session.summary.steps.map(({ step, text }) => (
              <option key={step} value={step}>
                {step + 1}: {plainWords(text).slice(-60)}
              </option>
            ))}
            <option value={session.summary.steps.length}>the words after the last box</option>
          </select>
        </label>
      )}
      {!done && (
        <div className="card-actions">
          <button type="button" className="toggle" onClick={() => at(redraw)}>
            Draw anew <kbd>D</kbd>
          </button>
          <button type="button" className="toggle" onClick={() => at(() => showPlace(true))}>
            Zoom <kbd>Z</kbd>
          </button>
        </div>
      )}
    </article>
  );
}
