/** Where a question is written: free or multiple choice, about the volume or one slice, under a preset. */
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { SeriesView } from '../../src-contract/channels.ts';
import { activeRun, useRuns } from '../state/run-store.ts';
import { Icon } from '../ui/icon.tsx';
import { askDraft, chosenTarget, stopActive } from './asking.ts';
import { draftProblem, useComposer } from './composer-store.ts';
import { OptionsEditor } from './options-editor.tsx';
import { PresetChoice, PresetExplanation } from './preset-choice.tsx';
import { TargetChoice } from './target-choice.tsx';

export function Composer({ series }: { series: SeriesView | null }) {
  const draft = useComposer();
  const running = useRuns((state) => activeRun(state) !== null);
  const stopping = useRuns((state) => activeRun(state)?.stopping === true);
  const field = useRef<HTMLTextAreaElement>(null);
  const { focusRequest } = draft;
  useEffect(() => {
    if (focusRequest > 0) field.current?.focus();
  }, [focusRequest]);
  const problem = series ? draftProblem(draft) : 'Open a study first.';
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void askDraft();
    }
  };
  return (
    <form
      className="composer"
      aria-label="Ask a question"
      onSubmit={(event) => {
        event.preventDefault();
        void askDraft();
      }}
      onKeyDown={onKeyDown}
    >
      <fieldset disabled={series === null} className="composer-fields">
        <legend className="visually-hidden">Question</legend>
        <textarea
          ref={field}
          className="field question-field"
          aria-label="Question"
          placeholder={series ? 'Ask about this study' : 'Open a study to ask about it'}
          data-testid="composer-question"
          rows={2}
          value={draft.question}
          onChange={(event) => draft.edit({ question: event.target.value })}
        />
        {draft.choices && <OptionsEditor />}
        <div className="composer-row">
          <button
            type="button"
            className="toggle"
            aria-pressed={draft.choices}
            title="Multiple choice: the model answers with one of A to D"
            data-testid="choices-toggle"
            onClick={() => draft.edit({ choices: !draft.choices })}
          >
            A–D
          </button>
          {series && (
            <TargetChoice
              series={series}
              value={chosenTarget(series, draft.target)}
              onChange={(target) => draft.edit({ target })}
            />
          )}
          <PresetChoice />
        </div>
        <div className="composer-row">
          <PresetExplanation />
          {running && (
            <button
              type="button"
              className="button stop"
              disabled={stopping}
              title="Stop (Esc)"
              data-testid="stop"
              onClick={() => void stopActive()}
            >
              <Icon name="stop" />
              Stop
            </button>
          )}
          <button
            type="submit"
            className="button primary"
            disabled={problem !== null}
            title={problem ?? 'Ask (Ctrl+Enter)'}
            data-testid="ask"
          >
            Ask
          </button>
        </div>
      </fieldset>
    </form>
  );
}
