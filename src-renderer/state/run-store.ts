/**
 * Questions and what became of them. What changes with every token stays in each run's RunLog; the store holds what
 * changes a few times per run, so that React draws a turn again only when there is something new to draw around the text.
 */
import { create } from 'zustand';
import type { Ask } from '../../src-contract/channels.ts';
import type { ErrorPayload } from '../../src-contract/errors.ts';
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { RunEvent, RunEventOf } from '../../src-contract/run-events.ts';
import { summarizeEvents, type Trace } from '../../src-contract/trace.ts';
import { call, on } from './bridge.ts';
import { RunBoxes } from './run-boxes.ts';
import { RunLog } from './run-log.ts';
import { settingsSaved } from './settings-store.ts';
import { useUi } from './ui-store.ts';

export type RunPhase = 'waiting' | 'reading' | 'writing' | 'ended';

export interface Run {
  readonly runId: string;
  readonly ask: Ask;
  readonly askedAt: number;
  readonly phase: RunPhase;
  /** The person pressed stop; the engine has not answered yet. */
  readonly stopping: boolean;
  readonly progress: RunEventOf<'progress'> | null;
  readonly started: RunEventOf<'run-started'> | null;
  readonly answer: RunEventOf<'answer'> | null;
  readonly finished: RunEventOf<'run-finished'> | null;
  /** Why it could not be carried out, or what it died of. */
  readonly error: ErrorPayload | null;
  readonly rounds: number;
  /** Boxes so far. */
  readonly steps: number;
  /** Its boxes are over the images. */
  readonly boxesShown: boolean;
  /** Taken from the project as it was recorded, not asked in this window. */
  readonly recorded: boolean;
}

interface RunState {
  /** In the order of asking. */
  readonly order: readonly string[];
  readonly runs: Readonly<Record<string, Run>>;
  /** The run whose answer is the last to have come: what a screen reader is told. */
  readonly lastEnded: string | null;
  /** @returns the run's id, or null where the question was refused (said in a notice) */
  ask(question: Ask): Promise<string | null>;
  stop(runId: string): void;
  remove(runId: string): void;
  forgetStudy(studyId: string): void;
  showBoxes(runId: string, shown: boolean): void;
}

/** What is not for React: events, and boxes with their geometry. */
interface Behind {
  readonly log: RunLog;
  readonly boxes: RunBoxes;
}
const behind = new Map<string, Behind>();
/** Questions that were sent and have no id yet. */
let unanswered = 0;
/** Events that overtook the answer to their own question. */
const early = new Map<string, (() => void)[]>();

/** @throws RangeError for a run that is not there (any more) */
export function runLog(runId: string): RunLog {
  const found = behind.get(runId);
  if (!found) throw new RangeError(`There is no run ${runId}.`);
  return found.log;
}

export function runBoxes(runId: string): RunBoxes | undefined {
  return behind.get(runId)?.boxes;
}

export const isActive = ({ phase }: Run): boolean => phase !== 'ended';

/** The run that is under way or waits; the oldest one where there are several. */
export function activeRun({ order, runs }: Pick<RunState, 'order' | 'runs'>): Run | null {
  const id = order.find((one) => isActive(runs[one]));
  return id === undefined ? null : runs[id];
}

function change(runId: string, part: Partial<Run>): void {
  useRuns.setState(({ runs }) =>
    runs[runId] ? { runs: { ...runs, [runId]: { ...runs[runId], ...part } } } : {},
  );
}

/** Boxes of other questions would be taken for this one's. One that waits has none yet, and shows them when it comes. */
function hideOtherBoxes(
  runId: string,
  which: (run: Run) => boolean = ({ started }) => started !== null,
): void {
  const { order, runs, showBoxes } = useRuns.getState();
  for (const id of order) if (id !== runId && runs[id].boxesShown && which(runs[id])) showBoxes(id, false);
}

function begin(runId: string, ask: Ask, chain: AffineChain | null = null): void {
  const run: Run = {
    runId,
    ask,
    askedAt: Date.now(),
    phase: 'waiting',
    stopping: false,
    progress: null,
    started: null,
    answer: null,
    finished: null,
    error: null,
    rounds: 0,
    steps: 0,
    boxesShown: true,
    recorded: chain !== null,
  };
  behind.set(runId, { log: new RunLog(), boxes: new RunBoxes(runId, ask, chain) });
  useRuns.setState(({ order, runs }) => ({ order: [...order, runId], runs: { ...runs, [runId]: run } }));
}

export const useRuns = create<RunState>()((set, get) => ({
  order: [],
  runs: {},
  lastEnded: null,
  ask: async (question) => {
    unanswered++;
    try {
      await settingsSaved();
      const { runId } = await call('run.ask', question);
      hideOtherBoxes(runId, (run) => !isActive(run));
      useUi.getState().resumeFollowing();
      begin(runId, question);
      for (const deliver of early.get(runId) ?? []) deliver();
      early.delete(runId);
      return runId;
    } catch (thrown) {
      useUi.getState().report(thrown);
      return null;
    } finally {
      if (--unanswered === 0) early.clear();
    }
  },
  stop: (runId) => {
    const run = get().runs[runId];
    if (!run || !isActive(run)) return;
    change(runId, { stopping: true });
    void call('run.stop', { runId }).catch(useUi.getState().report);
  },
  remove: (runId) => {
    get().stop(runId);
    runBoxes(runId)?.hide();
    behind.delete(runId);
    set(({ order, runs }) => {
      const { [runId]: _gone, ...rest } = runs;
      return { order: order.filter((id) => id !== runId), runs: rest };
    });
  },
  forgetStudy: (studyId) => {
    for (const id of get().order) if (get().runs[id].ask.studyId === studyId) get().remove(id);
  },
  showBoxes: (runId, shown) => {
    const boxes = runBoxes(runId);
    if (shown) boxes?.show();
    else boxes?.hide();
    change(runId, { boxesShown: shown });
  },
}));

/** Takes up a run that was made before: it is read and replayed like any other, and nothing of it is asked again. */
export function loadRun(runId: string, ask: Ask, trace: Trace): void {
  if (behind.has(runId)) return;
  const { started, steps, answer, finished } = summarizeEvents(trace.events);
  begin(runId, ask, trace.chain);
  const { log, boxes } = behind.get(runId) as Behind;
  for (const event of trace.events) log.push(event);
  boxes.load(
    steps.map(({ box }) => box),
    started?.mode ?? '2d',
  );
  const rounds = trace.events.filter(({ type }) => type === 'round-started').length;
  change(runId, {
    ...ended,
    askedAt: Date.parse(trace.createdAt),
    started,
    answer,
    finished,
    error: finished?.error ?? null,
    steps: steps.length,
    rounds,
  });
}

/** Lights a box of a run and takes the viewer there; brings the run's boxes back where they were hidden. */
export function goToStep(runId: string, step: number): void {
  const run = useRuns.getState().runs[runId];
  if (run && !run.boxesShown) useRuns.getState().showBoxes(runId, true);
  runBoxes(runId)?.goTo(step);
}

export function lightStep(runId: string, step: number | null): void {
  runBoxes(runId)?.light(step);
}

/** The person took the viewer in hand while a run streams: from here on it stays where they put it. */
export function viewerTouched(): void {
  if (activeRun(useRuns.getState())) useUi.getState().interruptFollowing();
}

function receive(runId: string, event: RunEvent): void {
  const found = behind.get(runId);
  if (!found) return;
  found.log.push(event);
  const run = useRuns.getState().runs[runId];
  switch (event.type) {
    case 'run-started':
      hideOtherBoxes(runId);
      void found.boxes.findChain();
      change(runId, { phase: 'reading', started: event });
      break;
    case 'progress':
      // Between two rounds the crop is read: that is part of the writing.
      if (run.phase !== 'writing') change(runId, { phase: 'reading', progress: event });
      break;
    case 'round-started':
      change(runId, { phase: 'writing', progress: null, rounds: event.round + 1 });
      break;
    case 'box':
      found.boxes.add(event, run.started?.mode ?? '2d');
      change(runId, { steps: event.step + 1 });
      break;
    case 'answer':
      change(runId, { answer: event });
      break;
    case 'run-finished':
      change(runId, { finished: event, error: event.error ?? run.error, ...ended });
      useRuns.setState({ lastEnded: runId });
      break;
    default:
      break;
  }
}

const ended = { phase: 'ended', stopping: false, progress: null } as const;

function fail(runId: string, error: ErrorPayload): void {
  if (!behind.has(runId)) return;
  change(runId, { ...ended, error });
  useRuns.setState({ lastEnded: runId });
}

export function connectRuns(): () => void {
  const deliver = (runId: string, what: () => void): void => {
    if (behind.has(runId)) what();
    else if (unanswered > 0) early.set(runId, [...(early.get(runId) ?? []), what]);
  };
  const stops = [
    on('run.event', ({ runId, event }) => deliver(runId, () => receive(runId, event))),
    on('run.failed', ({ runId, error }) => deliver(runId, () => fail(runId, error))),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
