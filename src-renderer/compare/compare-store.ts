/**
 * Two runs beside each other. The viewer shows them in two panes that scroll together by patient position; the side
 * panel says in what they differ.
 */
import { create } from 'zustand';
import type { Comparison, Consistency } from '../../src-contract/comparison.ts';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import type { RunRow } from '../../src-contract/project.ts';
import { summarizeEvents, type Trace } from '../../src-contract/trace.ts';
import { rememberCase, useProject } from '../project/project-store.ts';
import { askOf, seriesFor } from '../review/open-run.ts';
import { call } from '../state/bridge.ts';
import { useOverlay } from '../state/overlay.ts';
import { loadRun, useRuns } from '../state/run-store.ts';
import type { SeriesRef } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { type Layout, useViewer } from '../state/viewer-store.ts';

export interface Chosen {
  readonly runId: string;
  readonly caseId: string;
  readonly question: string;
}

export interface Pair {
  readonly a: Chosen;
  readonly b: Chosen;
}

interface CompareState {
  /** Chosen as the first of two. */
  readonly first: Chosen | null;
  readonly pair: Pair | null;
  readonly comparison: Comparison | null;
  /** Runs of the case of each side, to choose another one from. */
  readonly choices: { readonly a: readonly RunRow[]; readonly b: readonly RunRow[] };
  readonly consistency: Consistency | null;
  /** Slice of the figure, and the figure itself. */
  readonly slice: number | null;
  readonly figure: string | null;
  readonly both: boolean;
  /** A is the volume and B a slice: the colours change sides, since 2D is green and 3D red. */
  readonly swapped: boolean;
  readonly busy: boolean;
  readonly failure: ErrorPayload | null;
  /** Why there is no curve, where a volume run is compared. */
  readonly noConsistency: string | null;
  setBoth(both: boolean): void;
}

const nothing = {
  comparison: null,
  consistency: null,
  slice: null,
  figure: null,
  failure: null,
  noConsistency: null,
} as const;

export const useCompare = create<CompareState>()((set) => ({
  ...nothing,
  first: null,
  pair: null,
  choices: { a: [], b: [] },
  both: false,
  swapped: false,
  busy: false,
  setBoth: (both) => {
    set({ both });
    drawBoxes();
  },
}));

/** The first click chooses, the second compares; the first one again takes the choice back. */
export async function compareWith(run: Chosen): Promise<void> {
  const { first } = useCompare.getState();
  if (first?.runId === run.runId) useCompare.setState({ first: null });
  else if (first) {
    useCompare.setState({ first: null });
    await compare({ a: first, b: run });
  } else useCompare.setState({ first: run });
}

let request = 0;

export async function compare(pair: Pair): Promise<void> {
  const mine = ++request;
  const { consistency } = useCompare.getState();
  // Another slice of the same volume: its curve stays.
  const kept = [pair.a.runId, pair.b.runId].includes(consistency?.volumeRunId ?? '') ? consistency : null;
  useCompare.setState({ ...nothing, consistency: kept, pair, busy: true });
  useUi.getState().showSide('compare');
  try {
    const [comparison, a, b, ofA, ofB] = await Promise.all([
      call('compare.runs', { a: pair.a.runId, b: pair.b.runId }),
      call('project.trace', { runId: pair.a.runId }),
      call('project.trace', { runId: pair.b.runId }),
      call('project.runs', { caseId: pair.a.caseId }),
      call('project.runs', { caseId: pair.b.caseId }),
    ]);
    if (mine !== request) return;
    useCompare.setState({ comparison, choices: { a: ofA.runs, b: ofB.runs } });
    const refs = [await seriesFor(pair.a.caseId, a), await seriesFor(pair.b.caseId, b)];
    if (mine !== request) return;
    arrange(pair, [a, b], refs);
    const volume = [a, b].findIndex((trace) => summarizeEvents(trace.events).started?.mode === '3d');
    if (volume >= 0) await findConsistency(volume === 0 ? pair.a.runId : pair.b.runId, mine);
  } catch (thrown) {
    if (mine === request) useCompare.setState({ failure: toReadroomError(thrown).toPayload() });
  } finally {
    if (mine === request) useCompare.setState({ busy: false });
  }
}

/** Another run on one side. */
export function exchange(side: 'a' | 'b', runId: string): void {
  const { pair, choices } = useCompare.getState();
  const row = choices[side].find((one) => one.runId === runId);
  if (!pair || !row) return;
  const { caseId, question } = row;
  void compare({ ...pair, [side]: { runId, caseId, question } });
}

/** How the viewer was before the comparison. */
let before: { readonly layout: Layout; readonly synchronised: boolean } | null = null;

/** The viewer as it was, unless the person has arranged it anew. */
function putBack(): void {
  const { layout, setLayout, setSynchronised } = useViewer.getState();
  if (before && layout === '1x2') {
    setLayout(before.layout);
    setSynchronised(before.synchronised);
  }
  before = null;
}

/** Both runs on screen: two panes, scrolled together. */
function arrange(pair: Pair, traces: readonly Trace[], refs: readonly (SeriesRef | null)[]): void {
  const { layout, synchronised, setLayout, showSeries, setSynchronised, setMode } = useViewer.getState();
  const runs = [pair.a.runId, pair.b.runId];
  refs.forEach((ref, n) => {
    if (!ref) return;
    rememberCase(runs[n], (n === 0 ? pair.a : pair.b).caseId);
    loadRun(runs[n], askOf(traces[n], ref), traces[n]);
  });
  const is3d = traces.map((trace) => summarizeEvents(trace.events).started?.mode === '3d');
  useCompare.setState({ swapped: is3d[0] === true && is3d[1] === false });
  setMode('images');
  if (layout !== '1x2') before = { layout, synchronised };
  setLayout('1x2');
  setSynchronised(true);
  refs.forEach((ref, n) => {
    if (ref) showSeries(n, ref);
  });
  drawBoxes();
  // To a slice that both speak of: that of a 2D run, else the first box there is.
  const flat = traces.findIndex((trace) => trace.chain.serialization === 'image');
  const order = flat === 1 ? [1, 0] : [0, 1];
  const start = order.find((n) => summarizeEvents(traces[n].events).steps.length > 0);
  if (start !== undefined) useOverlay.getState().show(`${runs[start]}:0`);
}

/** The boxes of the two runs and of no other, while the comparison is on the right. */
export function drawBoxes(): void {
  const { pair, both, swapped } = useCompare.getState();
  const { setCompared } = useOverlay.getState();
  if (!pair || useUi.getState().side !== 'compare') {
    setCompared(null);
    return;
  }
  const runs = [pair.a.runId, pair.b.runId] as const;
  const { showBoxes, runs: known } = useRuns.getState();
  for (const runId of runs) if (known[runId]) showBoxes(runId, true);
  setCompared({ runs, both, colours: swapped ? ['b', 'a'] : ['a', 'b'] });
}

export async function findConsistency(runId: string, mine = request): Promise<void> {
  try {
    const consistency = await call('compare.consistency', { runId });
    if (mine !== request) return;
    useCompare.setState({ consistency, noConsistency: null });
    const { slice, pair } = useCompare.getState();
    if (slice !== null) return showFigure(slice);
    const shown = [pair?.a.runId, pair?.b.runId];
    const best =
      consistency.points.find(({ runId: one }) => shown.includes(one)) ??
      consistency.points.find(({ iou }) => iou !== null) ??
      consistency.points[0];
    if (best) await showFigure(best.slice);
  } catch (thrown) {
    if (mine === request) useCompare.setState({ noConsistency: toReadroomError(thrown).message });
  }
}

/** Another slice of the curve: its 2D run comes to the side where the one before was. */
export function showSlice(slice: number): void {
  const { consistency, pair } = useCompare.getState();
  const point = consistency?.points.find((one) => one.slice === slice);
  if (!point || !pair) return;
  const side = pair.a.runId === consistency?.volumeRunId ? 'b' : 'a';
  void compare({ ...pair, [side]: { ...pair[side], runId: point.runId } });
}

export async function showFigure(slice: number): Promise<void> {
  const { consistency } = useCompare.getState();
  if (!consistency) return;
  useCompare.setState({ slice });
  try {
    const { svg } = await call('compare.figure', { volumeRunId: consistency.volumeRunId, slice });
    if (useCompare.getState().slice === slice) useCompare.setState({ figure: svg });
  } catch (thrown) {
    useCompare.setState({ figure: null, noConsistency: toReadroomError(thrown).message });
  }
}

export async function saveFigure(): Promise<void> {
  const { consistency, slice } = useCompare.getState();
  if (!consistency || slice === null) return;
  const { notify, report } = useUi.getState();
  try {
    const saved = await call('compare.saveFigure', { volumeRunId: consistency.volumeRunId, slice });
    if (saved) notify({ tone: 'info', message: `Figure saved as ${saved.name}.` });
  } catch (thrown) {
    report(thrown);
  }
}

export function connectCompare(): void {
  // Runs of another project are not here; what one reader may see of the model another one may not.
  useProject.subscribe(({ view }, { view: before }) => {
    if (!view || !before || !useCompare.getState().pair) return;
    const isOther = view.readerId !== before.readerId || view.blinding.model !== before.blinding.model;
    if (view.projectId === before.projectId && !(isOther && view.blinding.model)) return;
    request++;
    useCompare.setState({ ...nothing, first: null, pair: null, busy: false });
    drawBoxes();
  });
  useUi.subscribe((state, old) => {
    if (state.side === old.side) return;
    if (old.side === 'compare') putBack();
    drawBoxes();
  });
}
