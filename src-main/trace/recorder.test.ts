import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { RunEvent } from '../../src-contract/run-events.ts';
import {
  parseTrace,
  replay,
  researchNotice,
  serializeTrace,
  summarizeEvents,
  type Trace,
  type TraceHeader,
} from '../../src-contract/trace.ts';
import { createFakeModel, type FakeOptions } from '../engine/grounding/fake-model.ts';
import { runGrounded } from '../engine/grounding/loop.ts';
import { testRequest } from '../engine/grounding/test-request.ts';
import { TraceRecorder } from './recorder.ts';

const request = testRequest({ mode: '3d', options: { A: 'left', B: 'right' } });
const header: TraceHeader = {
  app: { name: 'readroom', version: '0.1.0' },
  createdAt: '2026-01-02T03:04:05.678Z',
  synthetic: true,
  sources: [{ path: 'case/thorax.nii.gz', bytes: 12, sha256: 'a'.repeat(64) }],
  series: null,
  chain: request.chain,
  normalization: '1st to 99th percentile',
  question: 'Where?',
  options: { A: 'left', B: 'right' },
  expected: 'B',
};
const script = [
  '<think>See <|box_start|>[1,2,1,30,40,3]<|box_end|>',
  ' and <|box_start|>[3,4,5.5,6]<|box_end|>',
  ' a node.</think>\nB. right<|im_end|>',
];

async function recorded(fake: FakeOptions = { script }, signal?: AbortSignal) {
  const recorder = new TraceRecorder(header);
  const shown: RunEvent[] = [];
  const emit = (event: RunEvent): void => {
    shown.push(event);
    recorder.record(event);
  };
  const outcome = await runGrounded(createFakeModel(fake), request, emit, signal);
  return { recorder, shown, outcome };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readroom-trace-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('recording', () => {
  test('record, save, read, replay: the events that were shown', async () => {
    const { recorder, shown } = await recorded();
    const file = join(folder, 'deep', 'trace.json');
    await recorder.save(file);
    const text = await readFile(file, 'utf8');
    const trace = parseTrace(text, file);
    expect(replay(trace)).toEqual(shown);
    expect(trace).toEqual(recorder.trace());
    expect(text.split(researchNotice)).toHaveLength(2);
    expect(serializeTrace(trace)).toBe(text);
  });

  test('a partial trace is valid after every single event', async () => {
    const { shown } = await recorded();
    const recorder = new TraceRecorder(header);
    expect(parseTrace(serializeTrace(recorder.trace())).events).toEqual([]);
    for (const [count, event] of shown.entries()) {
      recorder.record(event);
      expect(parseTrace(serializeTrace(recorder.trace())).events).toHaveLength(count + 1);
      expect(recorder.finished).toBe(count === shown.length - 1);
    }
  });

  test('steps and outcome are read out of the events', async () => {
    const { shown, outcome } = await recorded();
    const summary = summarizeEvents(shown);
    expect(summary.steps.map(({ text, box }) => [text, box.raw])).toEqual([
      [script[0], [1, 2, 1, 30, 40, 3]],
      [script[1], [3, 4, 5.5, 6]],
    ]);
    expect(summary.steps[0].crop?.images).toHaveLength(2);
    expect(summary.steps[1].box.sliceZeroOnly).toBe(true);
    expect(summary.closingText).toBe(script[2]);
    expect(summary.answer?.answers).toMatchObject({ inference: 'B', reward: 'B', strict: 'B' });
    expect(summary.finished?.response).toBe(outcome.response);
    expect(
      summary.steps[0].tokens.length + summary.steps[1].tokens.length + summary.closingTokens.length,
    ).toBe(outcome.newTokens);
  });

  test('a cancelled run', async () => {
    const controller = new AbortController();
    const onStep = (step: number): void => {
      if (step === 5) controller.abort();
    };
    const { recorder } = await recorded({ script, onStep }, controller.signal);
    const trace = parseTrace(serializeTrace(recorder.trace()));
    expect(summarizeEvents(trace.events).stopReason).toBe('cancelled');
  });

  test('a stream that broke off is closed, for the record and for those who watch', async () => {
    const { shown } = await recorded();
    const recorder = new TraceRecorder(header);
    const secondRound = shown.findIndex((event) => event.type === 'token' && event.round === 1);
    for (const event of shown.slice(0, secondRound + 1)) recorder.record(event);
    const added = recorder.close(
      new ReadroomError('engine-died', 'The engine process ended by signal SIGKILL.'),
    );
    expect(added).toMatchObject([
      { type: 'round-finished', round: 1, tokens: 1, reason: 'failed' },
      { type: 'run-finished', stopReason: 'failed', response: '', error: { code: 'engine-died' } },
    ]);
    expect(recorder.close(new ReadroomError('cancelled', 'again'))).toEqual([]);
    expect(parseTrace(serializeTrace(recorder.trace())).events).toHaveLength(secondRound + 3);
  });

  test('a run that never began leaves no end either', () => {
    const recorder = new TraceRecorder(header);
    expect(recorder.close(new ReadroomError('engine-died', 'gone'))).toEqual([]);
  });

  test('what can not be written leaves the old file and no litter', async () => {
    const { recorder } = await recorded();
    await writeFile(join(folder, 'taken'), 'old');
    await expect(recorder.save(join(folder, 'taken', 'trace.json'))).rejects.toMatchObject({
      code: 'file-unreadable',
      file: expect.stringContaining('trace.json'),
    });
    expect(await readdir(folder)).toEqual(['taken']);
  });
});

describe('reading what others wrote', () => {
  type Damage = [name: string, change: (trace: Trace) => unknown, code: string, word: string];
  const eventOf = (trace: Trace, type: RunEvent['type']) =>
    trace.events.find((event) => event.type === type)!;
  test.each<Damage>([
    ['another kind of file', () => ({ format: 'other' }), 'file-malformed', 'not a Readroom trace'],
    ['another version', (trace) => ({ ...trace, version: 2 }), 'format-unsupported', 'version 2'],
    ['the notice changed', (trace) => ({ ...trace, notice: 'Fit for patients' }), 'file-malformed', 'notice'],
    [
      'a wrong type',
      (trace) => Object.assign(eventOf(trace, 'token'), { id: 'x' }) && trace,
      'file-malformed',
      'id',
    ],
    [
      'a huge word',
      (trace) => Object.assign(eventOf(trace, 'token'), { text: 'x'.repeat(100_001) }) && trace,
      'file-malformed',
      'text',
    ],
    [
      'events out of order',
      (trace) => ({ ...trace, events: trace.events.toReversed() }),
      'file-malformed',
      'out of place',
    ],
    [
      'an event missing',
      (trace) => ({ ...trace, events: trace.events.filter((e) => e.type !== 'round-started') }),
      'file-malformed',
      'out of order',
    ],
    [
      'time running backwards',
      (trace) =>
        Object.assign(trace.events[3], { at: 0 }) && Object.assign(trace.events[2], { at: 5 }) && trace,
      'file-malformed',
      'earlier',
    ],
    [
      'a box moved',
      (trace) => {
        const box = eventOf(trace, 'box') as Extract<RunEvent, { type: 'box' }>;
        box.located.sourceVoxel.min[0] += 1;
        return trace;
      },
      'file-malformed',
      'affine chain',
    ],
    [
      'a box outside',
      (trace) => {
        const box = eventOf(trace, 'box') as Extract<RunEvent, { type: 'box' }>;
        box.clamped.x2 = 57;
        return trace;
      },
      'file-malformed',
      'outside',
    ],
  ])('%s', async (_, change, code, word) => {
    const { recorder } = await recorded();
    const text = JSON.stringify(change(structuredClone(recorder.trace())));
    let error: unknown;
    try {
      parseTrace(text, 'import.json');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code, file: 'import.json', message: expect.stringContaining(word) });
  });

  test('no JSON at all', () => {
    expect(() => parseTrace('{"format"')).toThrow('not valid JSON');
    expect(() => parseTrace(`${'['.repeat(100_000)}`)).toThrow('not valid JSON');
  });
});
