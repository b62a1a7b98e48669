/**
 * Blinding to the model is kept by the project's process: it sends a run without the model's part while that is hidden.
 * When the reader may see it (asked for it, finished, is another reader, took that back), the run is fetched anew.
 */
import { summarizeEvents } from '../../src-contract/trace.ts';
import { useProject } from '../project/project-store.ts';
import { call } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';
import { endCorrecting } from './decisions.ts';
import { settled } from './edits.ts';
import { firstPlace, showInChat } from './open-run.ts';
import { mustHideModel, useReview } from './review-store.ts';

const isStale = (): boolean => {
  const { session, own, saving } = useReview.getState();
  return (
    session !== null && own !== null && saving === 0 && (session.veiled ?? false) !== mustHideModel({ own })
  );
};

let renewing = false;

async function renew(): Promise<void> {
  const { session } = useReview.getState();
  if (renewing || !session || !isStale()) return;
  renewing = true;
  const { runId } = session;
  try {
    await settled();
    const [trace, reviews] = await Promise.all([
      call('project.trace', { runId }),
      call('review.get', { runId }),
    ]);
    const now = useReview.getState();
    if (now.session?.runId !== runId || now.saving > 0) return;
    const summary = summarizeEvents(trace.events);
    const veiled = mustHideModel(reviews);
    if (veiled) endCorrecting();
    useReview.setState({
      session: { ...now.session, trace, summary, veiled },
      ...reviews,
      // Who is at a box of their own stays there.
      ...(now.place.kind === 'added' ? {} : { place: firstPlace(reviews.own, summary) }),
    });
    showInChat();
  } catch (thrown) {
    useUi.getState().report(thrown);
  } finally {
    renewing = false;
  }
}

export function connectVeil(): void {
  const onChange = (): void => void renew();
  useReview.subscribe(onChange);
  useProject.subscribe(onChange);
}
