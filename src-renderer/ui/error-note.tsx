/** An error where it belongs: what failed, what to do, and the library's own words for a bug report. */
import type { ReactNode } from 'react';
import type { ErrorPayload } from '../../src-contract/errors.ts';

export function ErrorNote({ error, children }: { error: ErrorPayload; children?: ReactNode }) {
  const { message, remedy, detail, field } = error;
  return (
    <div className="error-note" data-testid="error-note">
      <p>{message}</p>
      {remedy && <p className="dim">{remedy}</p>}
      {(detail || field) && (
        <details className="error-detail">
          <summary>Details</summary>
          <p className="mono">{[field, detail].filter(Boolean).join('\n')}</p>
        </details>
      )}
      {children}
    </div>
  );
}
