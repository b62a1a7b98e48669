/** The model's words, and the reader's amendment beside them: the original stays to be read. */
import { amendSentence, startTyping } from '../../decisions.ts';
import { useReview } from '../../review-store.ts';
import { WordsForm } from './words-form.tsx';

export function Sentence({ part, original }: { part: number; original: string }) {
  const runId = useReview(({ session }) => session?.runId ?? '');
  const amended = useReview(({ own }) => own?.sentences[part] ?? null);
  const typing = useReview((state) => state.typing?.kind === 'sentence' && state.typing.part === part);
  if (typing) {
    return (
      <>
        <p className="sentence dim">{original || '(no words)'}</p>
        <WordsForm
          label="Amended sentence"
          value={amended ?? original}
          about={runId}
          form={`sentence:${part}`}
          testId="sentence-field"
          hint="The original stays. Empty takes the amendment back."
          onKeep={(words) => amendSentence(part, words, original)}
          onClose={() => startTyping(null)}
        />
      </>
    );
  }
  if (amended === null) return <p className="sentence">{original || '(no words)'}</p>;
  return (
    <>
      <del className="sentence dim" title="As the model wrote it">
        {original || '(no words)'}
      </del>
      <ins className="sentence" data-testid="amended-sentence" title="Amended">
        {amended}
      </ins>
    </>
  );
}
