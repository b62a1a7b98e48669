import { beforeEach, expect, test } from 'vitest';
import type { Ask } from '../../src-contract/channels.ts';
import type { RunEvent } from '../../src-contract/run-events.ts';
import type { Trace } from '../../src-contract/trace.ts';
import { FakeBridge } from '../testing/fake-bridge.ts';
import { answered, box, finished, started, testChain, token } from '../testing/run-events.ts';
import { useOverlay } from './overlay.ts';
import { activeRun, connectRuns, goToStep, runLog, useRuns, viewerTouched } from './run-store.ts';
import { useUi } from './ui-store.ts';

const question: Ask = {
  studyId: 'study',
  seriesId: 'series',
  target: { kind: 'volume' },
  question: 'What is it?',
  options: { A: 'one', B: 'two' },
  preset: 'grounded',
};

let bridge: FakeBridge;
let disconnect = (): void => undefined;
let asked = 0;

beforeEach(() => {
  disconnect();
  bridge = new FakeBridge().install();
  bridge.answers['run.ask'] = () => ({ runId: `run-${++asked}` });
  bridge.answers['run.stop'] = () => ({});
  bridge.answers['run.trace'] = () => ({ chain: testChain }) as Trace;
  disconnect = connectRuns();
  for (const runId of useRuns.getState().order) useRuns.getState().remove(runId);
  useOverlay.getState().clear();
  useUi.setState({ following: true, followWanted: true, notices: [] });
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const ask = async (): Promise<string> => (await useRuns.getState().ask(question)) ?? '';

async function play(runId: string, ...events: RunEvent[]): Promise<void> {
  for (const event of events) {
    bridge.send('run.event', { runId, event });
    await settle();
  }
}

test('a run goes from waiting to its end, and tokens change nothing in the store', async () => {
  const runId = await ask();
  const run = () => useRuns.getState().runs[runId];
  expect(run().phase).toBe('waiting');
  await play(runId, started, { type: 'progress', at: 0, phase: 'vision', done: 3, total: 32 });
  expect(run()).toMatchObject({ phase: 'reading', progress: { done: 3 } });
  await play(runId, { type: 'round-started', at: 1, round: 0, contextTokens: 9 });
  const before = useRuns.getState();
  await play(runId, token('B'), token('.'));
  expect(useRuns.getState()).toBe(before);
  expect(runLog(runId).tokens).toBe(2);
  await play(runId, answered(['B', 'B', 'B']), finished('end-of-turn'));
  expect(run()).toMatchObject({ phase: 'ended', rounds: 1, error: null });
  expect(useRuns.getState().lastEnded).toBe(runId);
});

test('boxes go to the overlay with their place, and the viewer is taken there', async () => {
  const runId = await ask();
  await play(runId, started, box(0), box(9));
  const { boxes, goTo } = useOverlay.getState();
  expect(boxes.map(({ id, colour, mode }) => [id, colour, mode])).toEqual([
    [`${runId}:0`, 0, '3d'],
    [`${runId}:9`, 1, '3d'],
  ]);
  expect(goTo?.id).toBe(`${runId}:9`);
});

test('boxes that come before the chain is known wait for it', async () => {
  let answer: (trace: Trace) => void = () => undefined;
  bridge.answers['run.trace'] = () => new Promise<Trace>((resolve) => (answer = resolve));
  const runId = await ask();
  await play(runId, started, box(0));
  expect(useOverlay.getState().boxes).toHaveLength(0);
  answer({ chain: testChain } as Trace);
  await settle();
  expect(useOverlay.getState().boxes).toHaveLength(1);
});

test('without a trace the chain is the model view’s', async () => {
  bridge.answers['run.trace'] = undefined;
  bridge.answers['study.modelView'] = () => ({
    viewId: 'v',
    chain: testChain,
    width: 56,
    height: 56,
    slices: 32,
    imageProcessor: 'P',
    normalization: null,
  });
  const runId = await ask();
  await play(runId, started, box(0));
  expect(useOverlay.getState().boxes).toHaveLength(1);
});

test('who takes the viewer in hand is left alone until the next question', async () => {
  const runId = await ask();
  await play(runId, started, box(0));
  viewerTouched();
  await play(runId, box(1));
  expect(useOverlay.getState().goTo?.id).toBe(`${runId}:0`);
  expect(useUi.getState().following).toBe(false);
  await play(runId, finished('end-of-turn'));
  await ask();
  expect(useUi.getState().following).toBe(true);
});

test('following that was switched off stays off', async () => {
  useUi.getState().setFollow(false);
  const runId = await ask();
  await play(runId, started, box(0));
  expect(useOverlay.getState().goTo).toBeNull();
});

test('a viewer that is touched while nothing runs changes nothing', () => {
  viewerTouched();
  expect(useUi.getState().following).toBe(true);
});

test('a new question hides the boxes of the one before; going to one brings them back', async () => {
  const first = await ask();
  await play(first, started, box(0), finished('end-of-turn'));
  await ask();
  expect(useOverlay.getState().boxes).toHaveLength(0);
  goToStep(first, 0);
  expect(useOverlay.getState().boxes).toHaveLength(1);
  expect(useRuns.getState().runs[first].boxesShown).toBe(true);
});

test('a question that waits leaves the running one its boxes, and hides them when its own turn comes', async () => {
  const first = await ask();
  await play(first, started);
  const second = await ask();
  await play(first, box(0));
  expect(useOverlay.getState().boxes).toHaveLength(1);
  expect(useRuns.getState().runs[first].boxesShown).toBe(true);
  await play(first, finished('end-of-turn'));
  await play(second, started);
  expect(useOverlay.getState().boxes).toHaveLength(0);
  await play(second, box(0));
  expect(useOverlay.getState().boxes.map(({ runId }) => runId)).toEqual([second]);
});

test('events that overtake the answer to their question are not lost', async () => {
  const waiting = ask();
  bridge.send('run.event', { runId: `run-${asked + 1}`, event: started });
  const runId = (await waiting) ?? '';
  expect(useRuns.getState().runs[runId].phase).toBe('reading');
});

test('a stop is said at once and marks the run when it has happened', async () => {
  const runId = await ask();
  useRuns.getState().stop(runId);
  expect(useRuns.getState().runs[runId].stopping).toBe(true);
  expect(bridge.called.at(-1)).toEqual({ name: 'run.stop', params: { runId } });
  bridge.send('run.failed', { runId, error: { code: 'cancelled', message: 'Stopped.' } });
  expect(useRuns.getState().runs[runId]).toMatchObject({ phase: 'ended', stopping: false });
});

test('an engine that dies ends the run with the reason, and what was written stays', async () => {
  const runId = await ask();
  await play(runId, started, token('Hm'), finished('failed'));
  const error = { code: 'engine-died', message: 'The engine process ended.' } as const;
  bridge.send('run.failed', { runId, error });
  expect(useRuns.getState().runs[runId]).toMatchObject({ phase: 'ended', error });
  expect(runLog(runId).events).toHaveLength(3);
});

test('a refused question is said, and leaves no run', async () => {
  bridge.answers['run.ask'] = undefined;
  expect(await useRuns.getState().ask(question)).toBeNull();
  expect(useRuns.getState().order).toHaveLength(0);
  expect(useUi.getState().notices).toHaveLength(1);
});

test('a deleted run takes its boxes along and ends', async () => {
  const runId = await ask();
  await play(runId, started, box(0));
  useRuns.getState().remove(runId);
  expect(useOverlay.getState().boxes).toHaveLength(0);
  expect(bridge.called.some(({ name }) => name === 'run.stop')).toBe(true);
  await play(runId, token('late'));
  expect(useRuns.getState().runs[runId]).toBeUndefined();
});

test('the oldest run that has not ended is the active one', async () => {
  const first = await ask();
  const second = await ask();
  expect(activeRun(useRuns.getState())?.runId).toBe(first);
  await play(first, started, finished('end-of-turn'));
  expect(activeRun(useRuns.getState())?.runId).toBe(second);
});

test('a closed study takes its questions with it', async () => {
  await ask();
  useRuns.getState().forgetStudy('study');
  expect(useRuns.getState().order).toHaveLength(0);
});
