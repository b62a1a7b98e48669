/** The right-hand side: the questions asked about this study and the composer for the next one. */
import { useMemo } from 'react';
import { useRuns } from '../state/run-store.ts';
import { useSeries, useStudies } from '../state/study-store.ts';
import { AnswerAnnouncer } from './answer-announcer.tsx';
import { ChatHead } from './chat-head.tsx';
import { ChatScroll } from './chat-scroll.tsx';
import { Composer } from './composer.tsx';
import { Suggestions } from './suggestions.tsx';
import { Turn } from './turn.tsx';

/** Runs of the study in hand, in the order of asking. */
function useStudyRuns(): readonly string[] {
  const studyId = useStudies(({ selected }) => selected?.studyId);
  const order = useRuns((state) => state.order);
  return useMemo(() => {
    const { runs } = useRuns.getState();
    return order.filter((runId) => runs[runId]?.ask.studyId === studyId);
  }, [order, studyId]);
}

/** Turns that the layout takes or skips together; see .turn-group in chat.css. */
const groupSize = 12;

function groupsOf(runIds: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (let n = 0; n < runIds.length; n += groupSize) groups.push(runIds.slice(n, n + groupSize));
  return groups;
}

export function ChatPanel() {
  const runIds = useStudyRuns();
  const selected = useStudies((state) => state.selected);
  const series = useSeries(selected);
  return (
    <section className="chat" aria-label="Questions">
      <ChatHead count={runIds.length} />
      <ChatScroll runIds={runIds}>
        {runIds.length === 0 && <EmptyChat hasStudy={series !== null} />}
        {groupsOf(runIds).map((group) => (
          <div key={group[0]} className="turn-group">
            {group.map((runId) => (
              <Turn key={runId} runId={runId} />
            ))}
          </div>
        ))}
      </ChatScroll>
      {series && <Suggestions compact={runIds.length > 0} />}
      <Composer series={series} />
      <AnswerAnnouncer />
    </section>
  );
}

function EmptyChat({ hasStudy }: { hasStudy: boolean }) {
  return (
    <div className="chat-empty">
      {hasStudy ? (
        <>
          <p>Ask about this study.</p>
          <p className="dim">
            The model reasons aloud. Each region it looks at becomes a box on the image and a chip in the
            text.
          </p>
        </>
      ) : (
        <p className="dim">Open a study to ask about it.</p>
      )}
    </div>
  );
}
