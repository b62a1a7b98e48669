/** In what two runs differ: how they were asked, what they said, where their boxes are, what they cost. */
import { useUi } from '../state/ui-store.ts';
import { ErrorNote } from '../ui/error-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { Switch } from '../ui/switch.tsx';
import { AlignedSteps } from './aligned-steps.tsx';
import { SlicesUnderway } from './ask-slices.tsx';
import { compare, exchange, useCompare } from './compare-store.ts';
import { ConsistencyView } from './consistency-view.tsx';
import { SidesTable } from './sides-table.tsx';
import './compare.css';

export function ComparePanel() {
  const { pair, comparison, busy, failure, both, swapped, first, setBoth } = useCompare();
  const showList = useUi((state) => state.showList);
  if (!pair) {
    return (
      <section className="compare compare-empty" aria-label="Compare" data-testid="compare-panel">
        <p>Compare two runs of a case: 2D beside 3D, presets, models, precisions.</p>
        <p className="dim">
          {first
            ? `Chosen first: "${first.question}". Choose the second one in the list of cases.`
            : 'Unfold a case, press Compare on one run, then on another; or 2D beside 3D on a volume run.'}
        </p>
        <SlicesUnderway />
        {failure && <ErrorNote error={failure} />}
        <button type="button" className="button" onClick={() => showList('cases')}>
          Show the cases
        </button>
      </section>
    );
  }
  return (
    <section
      className={`compare ${swapped ? 'swapped' : ''}`}
      aria-label="Compare"
      data-testid="compare-panel"
    >
      <header className="compare-head">
        <RunChoice side="a" />
        <RunChoice side="b" />
        <div className="form-row">
          <button
            type="button"
            className="button small-button"
            onClick={() => void compare({ a: pair.b, b: pair.a })}
          >
            Exchange sides
          </button>
          <span className="spacer" />
          <Switch
            label="Both over both"
            title="Boxes of both runs over both pictures"
            on={both}
            onChange={setBoth}
            testId="compare-both"
          />
        </div>
      </header>
      {busy && <ProgressBar label="Comparing" done={0} total={0} />}
      {failure && (
        <ErrorNote error={failure}>
          <button type="button" className="button" onClick={() => void compare(pair)}>
            Try again
          </button>
        </ErrorNote>
      )}
      {comparison && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area needs the focus to be scrolled with keys.
        <section className="compare-scroll" tabIndex={0} aria-label="Comparison">
          {!comparison.samePixels && (
            <p className="compare-note">
              The runs are about different images: their boxes can&apos;t be measured.
            </p>
          )}
          <SidesTable comparison={comparison} />
          <AlignedSteps comparison={comparison} />
          <ConsistencyView />
        </section>
      )}
    </section>
  );
}

function RunChoice({ side }: { side: 'a' | 'b' }) {
  const pair = useCompare((state) => state.pair);
  const rows = useCompare(({ choices }) => choices[side]);
  if (!pair) return null;
  return (
    <label className={`run-choice side-${side}`}>
      <span className="side-name">{side.toUpperCase()}</span>
      <select
        className="field select grow"
        aria-label={`Run ${side.toUpperCase()}`}
        data-testid={`compare-${side}`}
        value={pair[side].runId}
        onChange={(event) => exchange(side, event.target.value)}
      >
        {rows.length === 0 && <option value={pair[side].runId}>{pair[side].question}</option>}
        {rows.map((row) => (
          <option key={row.runId} value={row.runId}>
            {row.mode === '3d' ? 'volume' : `slice ${(row.slice ?? 0) + 1}`} · {row.preset} · {row.precision}{' '}
            · {row.question}
          </option>
        ))}
      </select>
    </label>
  );
}
