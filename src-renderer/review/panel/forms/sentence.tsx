/** The model's words, and the reader's amendment beside them: the original stays to be read. */
import { useState } from 'react';
import { amendSentence, startTyping } from '../../decisions.ts';
import { useReview } from '../../review-store.ts';
import { WordsForm } from './words-form.tsx';

export function Sentence({ part, original }: { part: number; original: string }) {
  const amended = useReview(({ own }) => own?.sentences[part] ?? null);
  const typing = useReview((state) => state.typing?.kind === 'sentence' && state.typing.part === part);
  const [kept, setKept] = useState<string | null>(null);
  if (typing) {
    return (
      <>
        <p className="sentence dim">{original || '(no words)'}</p>
        <WordsForm
          label="Amended sentence"
          value={kept ?? amended ?? original}
          testId="sentence-field"
          hint="The original stays. Empty takes the amendment back."
          onCancel={() => startTyping(null)}
          onChange={setKept}
          onDone={async (words) => {
            // What could not be saved stays in the field.
            if (!(await amendSentence(part, words, original))) return;
            setKept(null);
            startTyping(null);
          }}
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
