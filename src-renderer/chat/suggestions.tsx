/** Questions that come with a sample study: one click asks. */
import type { Sample } from '../../src-contract/channels.ts';
import { optionLetters } from '../../src-contract/run-events.ts';
import { useStudies } from '../state/study-store.ts';
import { askSuggestion } from './asking.ts';

/** The sample that the study in hand was opened from. */
function useSample(): Sample | undefined {
  return useStudies(({ samples, studies, selected }) => {
    const study = studies.find(({ studyId }) => studyId === selected?.studyId);
    return (
      study && samples.find(({ title, synthetic }) => title === study.title && synthetic === study.synthetic)
    );
  });
}

export function Suggestions({ compact }: { compact: boolean }) {
  const sample = useSample();
  if (!sample) return null;
  return (
    <fieldset className={`suggestions ${compact ? 'suggestions-compact' : ''}`}>
      <legend className="visually-hidden">Suggested questions</legend>
      {sample.questions.map(({ question, options }) => (
        <button
          key={question}
          type="button"
          className="suggestion"
          data-testid="suggestion"
          title={optionLetters
            .flatMap((letter) => (options[letter] ? [`${letter}. ${options[letter]}`] : []))
            .join('\n')}
          onClick={() => void askSuggestion(question, options)}
        >
          {question}
        </button>
      ))}
    </fieldset>
  );
}
