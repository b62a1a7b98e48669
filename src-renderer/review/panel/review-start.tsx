/** Before a run is chosen: the runs of the study in hand, and the queue. */
import { useProject } from '../../project/project-store.ts';
import { type Run, useRuns } from '../../state/run-store.ts';
import { useStudies } from '../../state/study-store.ts';
import { useUi } from '../../state/ui-store.ts';
import { counted } from '../../ui/format.ts';
import { openNextRun, openRun } from '../open-run.ts';

export function ReviewStart() {
  const studyId = useStudies(({ selected }) => selected?.studyId);
  const order = useRuns((state) => state.order);
  const runs = useRuns((state) => state.runs);
  const caseOfRun = useProject((state) => state.caseOfRun);
  const counts = useProject(({ view }) => view?.counts);
  const showList = useUi((state) => state.showList);
  const here = order
    .map((id) => runs[id])
    .filter((run) => run?.ask.studyId === studyId && run.phase === 'ended');
  const left = counts ? counts.runs - counts.done : 0;
  return (
    <div className="review-scroll review-start" data-testid="review-start">
      {here.length > 0 && (
        <section>
          <h3>Questions about this study</h3>
          <ul>
            {here.map((run) => (
              <StartRun key={run.runId} run={run} caseId={caseOfRun[run.runId]} />
            ))}
          </ul>
        </section>
      )}
      <section className="review-start-queue">
        <h3>The project</h3>
        <p className="dim">
          {counts
            ? `${counted(counts.cases, 'case')}, ${counted(counts.runs, 'run')}, ${left} not finished by you.`
            : 'Every question that is answered becomes a run of the project, ready to be read.'}
        </p>
        <div className="form-row">
          <button
            type="button"
            className="button primary"
            disabled={left <= 0}
            data-testid="start-queue"
            onClick={() => void openNextRun()}
          >
            Next unfinished run <kbd>Shift+N</kbd>
          </button>
          <button type="button" className="button" onClick={() => showList('cases')}>
            All cases
          </button>
        </div>
      </section>
    </div>
  );
}

function StartRun({ run, caseId }: { run: Run; caseId: string | undefined }) {
  return (
    <li>
      <button
        type="button"
        className="start-run"
        disabled={!caseId}
        title={caseId ? undefined : 'This run is not in the project.'}
        onClick={() => caseId && void openRun(run.runId, caseId)}
      >
        <span>{run.ask.question}</span>
        <span className="small dim">
          {run.steps} {run.steps === 1 ? 'box' : 'boxes'}
        </span>
      </button>
    </li>
  );
}
