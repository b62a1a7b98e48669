/** Why a step is rejected: reasons by click, Space or number, and a comment. Enter rejects. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { type RejectReason, rejectReasons, type Verdict } from '../../../../src-contract/review.ts';
import { reject } from '../../decisions.ts';
import { useReview } from '../../review-store.ts';

const reasons = Object.entries(rejectReasons) as [RejectReason, string][];

export function RejectForm({ step, verdict }: { step: number; verdict: Verdict | undefined }) {
  const before = verdict?.decision === 'reject' ? verdict : null;
  const [chosen, setChosen] = useState<readonly RejectReason[]>(before?.reasons ?? []);
  const [comment, setComment] = useState(before?.comment ?? verdict?.comment ?? '');
  const first = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => first.current?.focus(), []);
  const toggle = (reason: RejectReason): void =>
    setChosen((now) => (now.includes(reason) ? now.filter((one) => one !== reason) : [...now, reason]));
  const onKeyDown = (event: KeyboardEvent): void => {
    const isText = event.target instanceof HTMLTextAreaElement;
    if (event.key === 'Enter' && (!isText || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.current?.requestSubmit();
      return;
    }
    const byNumber = reasons[Number(event.key) - 1];
    if (isText || !byNumber || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    toggle(byNumber[0]);
  };
  return (
    <form
      ref={form}
      className="reject-form"
      aria-label={`Reject step ${step + 1}`}
      data-testid="reject-form"
      onKeyDown={onKeyDown}
      onSubmit={(event) => {
        event.preventDefault();
        void reject(step, [...chosen], comment);
      }}
    >
      <fieldset className="reasons">
        <legend className="visually-hidden">Reasons</legend>
        {reasons.map(([reason, label], n) => (
          <label key={reason} className="reason">
            <input
              ref={n === 0 ? first : undefined}
              type="checkbox"
              checked={chosen.includes(reason)}
              data-testid={`reason-${reason}`}
              onChange={() => toggle(reason)}
            />
            <kbd>{n + 1}</kbd> {label}
          </label>
        ))}
      </fieldset>
      <textarea
        className="field comment-field"
        rows={2}
        aria-label="Comment"
        placeholder="Comment"
        data-testid="reject-comment"
        value={comment}
        onChange={(event) => setComment(event.target.value)}
      />
      <div className="form-row">
        <button type="submit" className="button primary" data-testid="reject-confirm">
          Reject <kbd>Enter</kbd>
        </button>
        <button type="button" className="button" onClick={() => useReview.setState({ typing: null })}>
          Cancel <kbd>Esc</kbd>
        </button>
      </div>
    </form>
  );
}
