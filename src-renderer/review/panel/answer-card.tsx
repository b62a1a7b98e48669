/** The model's answer, and what the reader would have answered: beside it, never over it. */
import { useEffect, useRef } from 'react';
import type { AmendedAnswer } from '../../../src-contract/review.ts';
import { type OptionLetter, type Options, optionLetters } from '../../../src-contract/run-events.ts';
import { amendAnswer, startTyping } from '../decisions.ts';
import { DraftMark } from '../drafts/draft-mark.tsx';
import { useDraft } from '../drafts/use-draft.ts';
import { isDone, useReview } from '../review-store.ts';
import { closingParts } from '../words.ts';
import { CloseOrDiscard } from './forms/words-form.tsx';

const inWords = ({ letter, text }: AmendedAnswer, options: Options): string => {
  const words = text || (letter ? (options[letter] ?? '') : '');
  return letter ? [letter, words].filter(Boolean).join('. ') : words;
};

/** `blind` hides the model's own answer. */
export function AnswerCard({ blind }: { blind: boolean }) {
  const session = useReview((state) => state.session);
  const amended = useReview(({ own }) => own?.answer ?? null);
  const typing = useReview((state) => state.typing?.kind === 'answer');
  const done = useReview(isDone);
  if (!session) return null;
  const { trace, summary } = session;
  const said = summary.answer?.text.trim() || closingParts(summary).answer;
  return (
    <article className="card answer-card" aria-label="Answer" data-testid="answer-card">
      <header className="card-head">
        <h3>Answer</h3>
        {!typing && (
          <DraftMark
            about={session.runId}
            form="answer"
            what="answer"
            onOpen={() => startTyping({ kind: 'answer' })}
          />
        )}
        <span className="spacer" />
        {!done && !typing && (
          <button
            type="button"
            className="link small"
            title={blind ? 'Answer (W)' : 'Amend the answer (W)'}
            data-testid="amend-answer"
            onClick={() => startTyping({ kind: 'answer' })}
          >
            {blind ? 'Answer' : 'Amend'}
          </button>
        )}
      </header>
      {!blind &&
        (amended ? (
          <del className="sentence dim" title="As the model answered">
            {said || '(none)'}
          </del>
        ) : (
          <p className="sentence">{said || 'The model gave no answer.'}</p>
        ))}
      {amended && (
        <ins className="sentence" data-testid="amended-answer" title={blind ? 'Your answer' : 'Amended'}>
          {inWords(amended, trace.options)}
        </ins>
      )}
      {!blind && trace.expected && <p className="small dim">Right answer of the case: {trace.expected}</p>}
      {typing && <AnswerForm runId={session.runId} options={trace.options} amended={amended} />}
    </article>
  );
}

interface FormProps {
  readonly runId: string;
  readonly options: Options;
  readonly amended: AmendedAnswer | null;
}

function AnswerForm({ runId, options, amended }: FormProps) {
  const letters = optionLetters.filter((letter) => options[letter] !== undefined);
  const { value, isDraft, set, discard, kept } = useDraft(runId, 'answer', {
    kind: 'answer',
    letter: amended?.letter ?? null,
    text: amended?.text ?? '',
  });
  const { letter, text } = value;
  const setLetter = (chosen: OptionLetter): void => set({ ...value, letter: chosen });
  const first = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => first.current?.focus(), []);
  const keep = async (after: AmendedAnswer | null): Promise<void> => {
    if (!(await amendAnswer(after))) return;
    kept(value);
    startTyping(null);
  };
  const isEmpty = letter === null && text.trim() === '';
  return (
    <form
      className="words-form"
      aria-label="Your answer"
      data-testid="answer-form"
      onSubmit={(event) => {
        event.preventDefault();
        void keep(isEmpty ? null : { letter, text: text.trim() });
      }}
      onKeyDown={(event) => {
        const isText = event.target instanceof HTMLTextAreaElement;
        if (event.key === 'Enter' && (!isText || event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          event.currentTarget.requestSubmit();
        }
        const typed = letters.find((one) => one === event.key.toUpperCase());
        if (!isText && typed && !event.ctrlKey && !event.metaKey) {
          event.preventDefault();
          setLetter(typed);
        }
      }}
    >
      {letters.length > 0 && (
        <fieldset className="answer-options">
          <legend className="visually-hidden">Choice</legend>
          {letters.map((one, n) => (
            <label key={one} className="reason">
              <input
                ref={n === 0 ? first : undefined}
                type="radio"
                name="amended-answer"
                checked={letter === one}
                data-testid={`answer-${one.toLowerCase()}`}
                onChange={() => setLetter(one)}
              />
              <b>{one}</b> {options[one]}
            </label>
          ))}
        </fieldset>
      )}
      <textarea
        ref={letters.length === 0 ? first : undefined}
        className="field comment-field"
        rows={2}
        aria-label="Answer in words"
        placeholder={letters.length > 0 ? 'In words (optional)' : 'In words'}
        data-testid="answer-words"
        value={text}
        onChange={(event) => set({ ...value, text: event.target.value })}
      />
      <div className="form-row">
        <button type="submit" className="button small-button primary" data-testid="answer-keep">
          Keep <kbd>Enter</kbd>
        </button>
        {amended && (
          <button type="button" className="button small-button" onClick={() => void keep(null)}>
            Take back
          </button>
        )}
        <CloseOrDiscard
          isDraft={isDraft}
          onClose={() => startTyping(null)}
          onDiscard={() => {
            discard();
            startTyping(null);
          }}
        />
      </div>
    </form>
  );
}
