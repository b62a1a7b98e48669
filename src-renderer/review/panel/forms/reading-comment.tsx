/** A comment on the run as a whole: kept when the field is left. */
import { useEffect, useState } from 'react';
import { setComment } from '../../decisions.ts';
import { isDone, useReview } from '../../review-store.ts';

export function ReadingComment() {
  const saved = useReview(({ own }) => own?.comment ?? '');
  const done = useReview(isDone);
  const [text, setText] = useState(saved);
  // Undo, or another window of the same project.
  useEffect(() => setText(saved), [saved]);
  return (
    <label className="reading-comment">
      <span className="small dim">Comment on the run</span>
      <textarea
        className="field comment-field"
        rows={2}
        readOnly={done}
        data-testid="run-comment"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => {
          if (text.trim() !== saved) void setComment(text);
        }}
      />
    </label>
  );
}
