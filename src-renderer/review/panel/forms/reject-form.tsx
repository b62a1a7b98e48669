/** Why a step is rejected: reasons by click, Space or number, and a comment. Enter rejects. */
import { type KeyboardEvent, useEffect, useRef } from 'react';
import { type RejectReason, rejectReasons, type Verdict } from '../../../../src-contract/review.ts';
import { reject, startTyping } from '../../decisions.ts';
import { useDraft } from '../../drafts/use-draft.ts';
import { CloseOrDiscard } from './words-form.tsx';

const reasons = Object.entries(rejectReasons) as [RejectReason, string][];

interface Props {
  readonly runId: string;
  readonly step: number;
  readonly verdict: Verdict | undefined;
}

export function RejectForm({ runId, step, verdict }: Props) {
  const before = verdict?.decision === 'reject' ? verdict : null;
  const { value, isDraft, set, discard, kept } = useDraft(runId, `reject:${step}`, {
    kind: 'reject',
    reasons: before?.reasons ?? [],
    comment: before?.comment ?? verdict?.comment ?? '',
  });
  const { reasons: chosen, comment } = value;
  const first = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => first.current?.focus(), []);
  const toggle = (reason: RejectReason): void =>
    set({
      ...value,
      reasons: chosen.includes(reason) ? chosen.filter((one) => one !== reason) : [...chosen, reason],
    });
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
        void reject(step, chosen, comment).then((isSaved) => isSaved && kept(value));
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
        onChange={(event) => set({ ...value, comment: event.target.value })}
      />
      <div className="form-row">
        <button type="submit" className="button small-button primary" data-testid="reject-confirm">
          Reject <kbd>Enter</kbd>
        </button>
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
