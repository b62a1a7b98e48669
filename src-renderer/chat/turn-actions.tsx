/** What can be done with a question that has ended. */
import { showExport } from '../export/export-store.ts';
import { useProject } from '../project/project-store.ts';
import { openRun } from '../review/open-run.ts';
import { call } from '../state/bridge.ts';
import { type Run, runLog, useRuns } from '../state/run-store.ts';
import { useUi } from '../state/ui-store.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { askAgain } from './asking.ts';
import { useComposer } from './composer-store.ts';
import type { Replay } from './use-stream.ts';

export async function saveTrace(runId: string): Promise<void> {
  const { notify, report } = useUi.getState();
  try {
    const saved = await call('run.saveTrace', { runId });
    if (saved) notify({ tone: 'info', message: `Trace saved as ${saved.name}.` });
  } catch (thrown) {
    report(thrown);
  }
}

export function TurnActions({ run, replay }: { run: Run; replay: Replay }) {
  const { runId, ask, steps, boxesShown, started } = run;
  const showBoxes = useRuns((state) => state.showBoxes);
  const remove = useRuns((state) => state.remove);
  const take = useComposer((state) => state.take);
  const caseId = useProject(({ caseOfRun }) => caseOfRun[runId]);
  const hasText = runLog(runId).tokens > 0;
  return (
    <div className="turn-actions" role="toolbar" aria-label="This question">
      <IconButton
        icon="again"
        label="Ask again, as it is"
        data-testid="regenerate"
        onClick={() => void askAgain(ask)}
      />
      <IconButton
        icon="edit"
        label="Edit and ask again"
        data-testid="edit-question"
        onClick={() => take(ask.question, ask.options, ask.target.kind)}
      />
      {hasText && (
        <IconButton
          icon={replay.playing ? 'stop' : 'replay'}
          label={replay.playing ? 'End the replay' : 'Replay at the speed it came'}
          data-testid="replay"
          onClick={replay.playing ? replay.skip : replay.start}
        />
      )}
      {steps > 0 && (
        <IconButton
          icon={boxesShown ? 'eye' : 'eye-off'}
          label={boxesShown ? 'Hide its boxes' : 'Show its boxes'}
          aria-pressed={boxesShown}
          onClick={() => showBoxes(runId, !boxesShown)}
        />
      )}
      {caseId && started && (
        <IconButton
          icon="review"
          label="Review this run"
          data-testid="review-run"
          onClick={() => void openRun(runId, caseId)}
        />
      )}
      {started && (
        <IconButton
          icon="export"
          label="Export trace…"
          data-testid="export-trace"
          onClick={() => (run.recorded && caseId ? showExport() : void saveTrace(runId))}
        />
      )}
      <IconButton icon="trash" label="Delete from the history" onClick={() => remove(runId)} />
    </div>
  );
}
