/** From what is in hand (series, slice, draft, preset) to a question that is asked. */
import type { Ask, SeriesView, Target } from '../../src-contract/channels.ts';
import type { Options } from '../../src-contract/run-events.ts';
import { activeRun, useRuns } from '../state/run-store.ts';
import { useSettings } from '../state/settings-store.ts';
import { findSeries, type SeriesRef, useStudies } from '../state/study-store.ts';
import { useViewer } from '../state/viewer-store.ts';
import { askedOptions, type Draft, draftProblem, useComposer } from './composer-store.ts';

/** What can be asked about a series: a picture has no volume, loose slices form none. */
export function targetsOf({ kind }: Pick<SeriesView, 'kind'>): readonly Draft['target'][] {
  return kind === 'volume' ? ['volume', 'slice'] : ['slice'];
}

export function chosenTarget(series: Pick<SeriesView, 'kind'>, wish: Draft['target']): Draft['target'] {
  const targets = targetsOf(series);
  return targets.includes(wish) ? wish : targets[0];
}

/** The slice of a series under the reader's eyes; its middle one while the viewer shows something else. */
export function sliceInHand(ref: SeriesRef, slices: number): number {
  const { current } = useViewer.getState();
  const here = current?.studyId === ref.studyId && current.seriesId === ref.seriesId;
  return here && current.slice !== null ? current.slice : Math.floor(slices / 2);
}

async function askAbout(question: string, options: Options, wish: Draft['target']): Promise<string | null> {
  const ref = useStudies.getState().selected;
  const series = findSeries(ref);
  if (!ref || !series) return null;
  const kind = chosenTarget(series, wish);
  const target: Target = kind === 'volume' ? { kind } : { kind, slice: sliceInHand(ref, series.slices) };
  const { preset } = useSettings.getState().settings;
  return useRuns.getState().ask({ ...ref, target, question, options, preset });
}

/** Asks what is written in the composer. */
export async function askDraft(): Promise<void> {
  const draft = useComposer.getState();
  if (draftProblem(draft) !== null) return;
  const asked = await askAbout(draft.question.trim(), askedOptions(draft), draft.target);
  // The question stays in the history; an empty box invites the next one.
  if (asked) useComposer.setState({ question: '', options: {} });
}

/** Asks a suggested question as it is. */
export async function askSuggestion(question: string, options: Options): Promise<void> {
  await askAbout(question, options, 'volume');
}

/** The same question once more, about the same images. */
export async function askAgain(ask: Ask): Promise<void> {
  await useRuns.getState().ask({ ...ask, preset: useSettings.getState().settings.preset });
}

/** Ends the run that is under way; the ones that wait behind it go on. */
export function stopActive(): boolean {
  const run = activeRun(useRuns.getState());
  if (run) useRuns.getState().stop(run.runId);
  return run !== null;
}
