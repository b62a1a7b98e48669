/** Where to start from: samples and recent studies. */
import type { ReactElement } from 'react';
import { useStudies } from '../state/study-store.ts';
import { Icon } from '../viewer/icons.tsx';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

export function Starts({ isEmpty }: { isEmpty: boolean }): ReactElement | null {
  const samples = useStudies((state) => state.samples);
  const recent = useStudies((state) => state.recent);
  const { openSample, openRecent } = useStudies.getState();
  return (
    <>
      {isEmpty && samples.length > 0 ? (
        <section aria-labelledby="samples-heading">
          <h2 id="samples-heading">Samples</h2>
          <ul className="starts">
            {samples.map((sample) => (
              <li key={sample.id}>
                <button type="button" className="start" onClick={() => void openSample(sample.id)}>
                  <Icon name="sample" />
                  <span className="grow">
                    <span className="start-title">
                      {sample.title}
                      {sample.synthetic ? <span className="badge">synthetic</span> : null}
                    </span>
                    <span className="dim">{sample.description}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {recent.length > 0 ? (
        <details className="recent" open={isEmpty}>
          <summary>Recent studies</summary>
          <ul className="starts">
            {recent.map((one) => (
              <li key={one.id}>
                <button
                  type="button"
                  className="start"
                  disabled={one.missing}
                  title={one.missing ? 'Its files are not where they were' : undefined}
                  onClick={() => void openRecent(one.id)}
                >
                  <span className="grow clip">{one.title}</span>
                  <span className="dim">{one.missing ? 'missing' : day.format(new Date(one.openedAt))}</span>
                </button>
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  );
}
