/** How readers agree, with each other and with the model, and where they do not. */
import { useEffect, useState } from 'react';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import type { Agreement, Disagreement, Reader } from '../../src-contract/project.ts';
import { useCases } from '../project/cases-store.ts';
import { readerName } from '../project/project-store.ts';
import { openRun } from '../review/open-run.ts';
import { call, on } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { ErrorNote } from '../ui/error-note.tsx';
import { Segments } from '../ui/segments.tsx';
import { BoxAgreementRow, EstimateText } from './box-agreement.tsx';
import { DisagreementList } from './disagreement-list.tsx';
import './agreement.css';

export function AgreementPanel() {
  const close = useUi((state) => state.closePanel);
  const filter = useCases((state) => state.filter);
  const [agreement, setAgreement] = useState<Agreement | null>(null);
  const [differences, setDifferences] = useState<readonly Disagreement[] | null>(null);
  const [failure, setFailure] = useState<ErrorPayload | null>(null);
  const [tab, setTab] = useState<'differences' | 'figures'>('differences');
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      try {
        const [figures, { rows }] = await Promise.all([
          call('project.agreement', { filter }),
          call('project.disagreements', { filter }),
        ]);
        if (gone) return;
        setAgreement(figures);
        setDifferences(rows);
        setFailure(null);
      } catch (thrown) {
        if (!gone) setFailure(toReadroomError(thrown).toPayload());
      }
    };
    void read();
    const stop = on('review.changed', () => void read());
    return () => {
      gone = true;
      stop();
    };
  }, [filter]);
  const open = differences?.filter(({ settled }) => !settled).length ?? 0;
  return (
    <Dialog title="Agreement" className="wide" onClose={close} testId="agreement">
      <Segments
        label="What to show"
        value={tab}
        choices={[
          { value: 'differences', label: differences ? `Differences (${open})` : 'Differences' },
          { value: 'figures', label: 'Figures' },
        ]}
        onChange={setTab}
        testId="agreement-tab"
      />
      {failure && <ErrorNote error={failure} />}
      {!failure && !agreement && <p className="dim">Comparing the readings</p>}
      {tab === 'differences' && differences && agreement && (
        <DisagreementList
          rows={differences}
          readers={agreement.readers}
          onOpen={({ runId, caseId, step }) => {
            close();
            void openRun(runId, caseId, step === null ? undefined : { kind: 'step', step });
          }}
        />
      )}
      {tab === 'figures' && agreement && <Figures agreement={agreement} />}
    </Dialog>
  );
}

function Figures({ agreement }: { agreement: Agreement }) {
  const { readers, runs, fleiss, pairs, readersAgainstModel } = agreement;
  return (
    <div className="agreement-figures">
      <p className="small dim">
        {runs} {runs === 1 ? 'run was' : 'runs were'} finished by two readers or more. Intervals are 95 %.
      </p>
      {readers.length > 2 && (
        <p data-testid="fleiss">
          Fleiss&apos; kappa of all readers: <EstimateText estimate={fleiss} />
        </p>
      )}
      {pairs.length === 0 && (
        <p className="dim">Two readers have to finish the same run before they can be compared.</p>
      )}
      {pairs.map((pair) => (
        <section key={`${pair.a}/${pair.b}`} className="agreement-pair" data-testid="agreement-pair">
          <h3>
            {readerName(readers, pair.a)} and {readerName(readers, pair.b)}
          </h3>
          <dl className="agreement-line">
            <div>
              <dt>Cohen&apos;s kappa</dt>
              <dd data-testid="cohen">
                <EstimateText estimate={pair.cohen} />
              </dd>
            </div>
            <div>
              <dt>Same decision</dt>
              <dd>{pair.observed === null ? '–' : `${(100 * pair.observed).toFixed(0)} %`}</dd>
            </div>
            <div>
              <dt>Steps</dt>
              <dd>{pair.cohen.n}</dd>
            </div>
          </dl>
          {pair.boxes.map((boxes) => (
            <BoxAgreementRow
              key={boxes.mode}
              boxes={boxes}
              a={readerName(readers, pair.a)}
              b={readerName(readers, pair.b)}
            />
          ))}
        </section>
      ))}
      {readersAgainstModel.length > 0 && <AgainstModel readers={readers} agreement={agreement} />}
    </div>
  );
}

function AgainstModel({ readers, agreement }: { readers: readonly Reader[]; agreement: Agreement }) {
  return (
    <section>
      <h3>Readers and the model</h3>
      {agreement.readersAgainstModel.map(({ readerId, decisions, boxes }) => (
        <div key={readerId} className="agreement-pair">
          <p>
            {readerName(readers, readerId)}: {decisions.accept} accepted, {decisions.correct} corrected,{' '}
            {decisions.reject} rejected
          </p>
          {boxes.map((one) => (
            <BoxAgreementRow key={one.mode} boxes={one} a={readerName(readers, readerId)} b="the model" />
          ))}
        </div>
      ))}
    </section>
  );
}
