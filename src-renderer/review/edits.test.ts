import { beforeEach, expect, test } from 'vitest';
import { ReadroomError } from '../../src-contract/errors.ts';
import { applyEdits, type Edit, emptyReview, type Review } from '../../src-contract/review.ts';
import { summarizeEvents, type Trace } from '../../src-contract/trace.ts';
import { FakeBridge } from '../testing/fake-bridge.ts';
import { box, finished, started, testChain, token } from '../testing/run-events.ts';
import { change, editsFor, retryUnsaved, settled, type Wish } from './edits.ts';
import { useReview } from './review-store.ts';

const events = [started, token('It is at '), box(0), token(' and '), box(1), finished('end-of-turn')];
const trace = { events, chain: testChain } as unknown as Trace;
const accept = (step: number): Wish => ({
  kind: 'verdict',
  step,
  after: { decision: 'accept', reasons: [], comment: '' },
});

let bridge: FakeBridge;
/** What the project holds: edits that are refused do not get here. */
let disk: Review;
let refuse: 'no' | 'once' | 'always';

beforeEach(() => {
  disk = emptyReview('run', 'ada');
  refuse = 'no';
  bridge = new FakeBridge().install();
  bridge.answers['review.get'] = () => ({ own: disk, others: [], hidden: 0 });
  bridge.answers['review.edit'] = ({ edits }) => {
    if (refuse !== 'no') {
      if (refuse === 'once') refuse = 'no';
      throw new ReadroomError('disk-full', 'The disk is full.');
    }
    for (const edit of edits as Edit[]) {
      const before = applyEdits(disk, [{ ...edit, after: edit.before } as Edit]);
      expect(before).toEqual(disk);
    }
    disk = applyEdits(disk, edits as Edit[]);
    return {};
  };
  useReview.setState({
    session: { runId: 'run', caseId: 'case', trace, summary: summarizeEvents(events) },
    own: disk,
    others: [],
    saving: 0,
    savedAt: null,
    unsaved: null,
  });
});

test('an edit says what was there before; what changes nothing is no edit', () => {
  const review = applyEdits(disk, editsFor(disk, [accept(0)]));
  expect(editsFor(review, [accept(0)])).toEqual([]);
  const [edit] = editsFor(review, [{ kind: 'verdict', step: 0, after: null }]);
  expect(edit?.before).toEqual({ decision: 'accept', reasons: [], comment: '' });
  // Two wishes about one register follow each other.
  const words = editsFor(review, [
    { kind: 'comment', after: 'one' },
    { kind: 'comment', after: 'two' },
  ]);
  expect(words.map(({ before, after }) => [before, after])).toEqual([
    [null, 'one'],
    ['one', 'two'],
  ]);
});

test('a change is shown at once and saved when the call was answered', async () => {
  const saved = change([accept(0)]);
  expect(useReview.getState().own?.verdicts[0]?.decision).toBe('accept');
  expect(useReview.getState().saving).toBe(1);
  expect(await saved).toBe(true);
  expect(useReview.getState().savedAt).not.toBeNull();
  expect(disk.verdicts[0]?.decision).toBe('accept');
  expect(disk.reading?.status).toBe('reading');
});

test('what could not be saved is kept, and goes along with the next change', async () => {
  refuse = 'once';
  const first = change([{ kind: 'comment', after: 'a long thought' }]);
  const second = change([accept(1)]);
  expect(await first).toBe(false);
  await second;
  await settled();
  // The second was made on what the first had left; both are tried again together.
  await retryUnsaved();
  await settled();
  expect(useReview.getState().unsaved).toBeNull();
  expect(disk.comment).toBe('a long thought');
  expect(disk.verdicts[1]?.decision).toBe('accept');
});

test('while nothing can be saved, nothing is lost and the screen shows what is on the disk', async () => {
  refuse = 'always';
  await change([{ kind: 'comment', after: 'one' }]);
  await change([accept(0)]);
  expect(useReview.getState().unsaved?.wishes).toHaveLength(2);
  expect(useReview.getState().unsaved?.error.code).toBe('disk-full');
  expect(useReview.getState().own).toEqual(disk);
  refuse = 'no';
  await retryUnsaved();
  expect(disk.comment).toBe('one');
  expect(disk.verdicts[0]?.decision).toBe('accept');
});

test.each(['before', 'after'] as const)(
  'the process that keeps the project dies %s the change is on the disk: it is there, once',
  async (when) => {
    const works = bridge.answers['review.edit'];
    let died = false;
    bridge.answers['review.edit'] = (params) => {
      if (died) return works?.(params) ?? {};
      died = true;
      if (when === 'after') works?.(params);
      throw new ReadroomError('project-died', 'The process that keeps the project ended.');
    };
    expect(await change([accept(0)])).toBe(true);
    expect(disk.verdicts[0]?.decision).toBe('accept');
    expect(useReview.getState().unsaved).toBeNull();
    const calls = bridge.called.filter(({ name }) => name === 'review.edit').length;
    expect(calls).toBe(when === 'before' ? 2 : 1);
  },
);
