/** Patient name and the like: fetched when asked for, gone when hidden. */
import { type ReactElement, useEffect, useState } from 'react';
import { toReadroomError } from '../../src-contract/errors.ts';
import { call } from '../state/bridge.ts';

export function Identifiers({ studyId, seriesId }: { studyId: string; seriesId: string }): ReactElement {
  const [found, setFound] = useState<Readonly<Record<string, string>> | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let gone = false;
    call('study.identifiers', { studyId, seriesId }).then(
      ({ identifiers }) => gone || setFound(identifiers),
      (thrown: unknown) => gone || setProblem(toReadroomError(thrown).message),
    );
    return () => {
      gone = true;
    };
  }, [studyId, seriesId]);
  if (problem) return <p role="alert">{problem}</p>;
  if (!found) return <p className="dim">Reading…</p>;
  const entries = Object.entries(found);
  if (entries.length === 0) return <p className="dim">The file holds no identifiers.</p>;
  return (
    <dl className="identifiers" data-testid="identifiers">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
