import { describe, expect, it } from 'vitest';
import { agreementSchema, disagreementSchema, type Reader } from '../../../src-contract/project.ts';
import { type Decision, emptyReview, type Review } from '../../../src-contract/review.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { agreementOf } from './agreement.ts';
import { disagreementsOf, listDisagreements } from './disagreements.ts';
import type { ReviewedRun } from './reviewed-run.ts';

const readers: Reader[] = [
  { readerId: 'ann', name: 'A', role: 'reader' },
  { readerId: 'ben', name: 'B', role: 'reader' },
  { readerId: 'cem', name: 'C', role: 'reader' },
  { readerId: 'dee', name: 'D', role: 'adjudicator' },
];

const cube = (x: number, size = 10): SourceBox => ({ min: [x, 0, 0], max: [x + size, size, size] });

interface Said {
  decisions?: (Decision | null)[];
  boxes?: Record<number, SourceBox>;
  added?: SourceBox[];
  status?: 'reading' | 'done';
}

function review(runId: string, readerId: string, said: Said): Review {
  const { decisions = [], boxes = {}, added = [], status = 'done' } = said;
  return {
    ...emptyReview(runId, readerId),
    reading: { status, activeMs: 0, revealed: false },
    verdicts: Object.fromEntries(
      decisions.flatMap((decision, step) =>
        decision ? [[step, { decision, reasons: [], comment: '' }]] : [],
      ),
    ),
    boxes,
    added: Object.fromEntries(added.map((box, index) => [`b${index}`, { box, label: '', part: null }])),
  };
}

let number = 0;
function run(steps: SourceBox[], said: Record<string, Said>, more: Partial<ReviewedRun> = {}): ReviewedRun {
  const runId = `run-${number++}`;
  return {
    caseId: runId,
    runId,
    title: runId,
    question: 'Where?',
    mode: '3d',
    axis: 2,
    steps,
    reviews: Object.entries(said).map(([readerId, each]) => review(runId, readerId, each)),
    ...more,
  };
}

/** Checked against the contract's own schema: no NaN passes it. */
const agreement = (runs: ReviewedRun[]) => agreementSchema.parse(agreementOf(runs, readers));

describe('agreementOf', () => {
  it('is empty, not NaN, for no runs and for runs that one reader finished', () => {
    for (const runs of [
      [],
      [
        run([cube(0)], {
          ann: { decisions: ['accept'] },
          ben: { decisions: ['reject'], status: 'reading' },
        }),
      ],
    ]) {
      const result = agreement(runs);
      expect(result.runs).toBe(0);
      expect(result.fleiss).toEqual({ value: null, low: null, high: null, n: 0 });
      expect(result.pairs).toEqual([]);
    }
  });

  it('counts decisions both made, and boxes both stand behind', () => {
    const result = agreement([
      run([cube(0), cube(50), cube(100)], {
        // Step 1: ann corrects, by five of ten. Step 2: only ann has decided.
        ann: { decisions: ['accept', 'correct', 'reject'], boxes: { 1: cube(55) }, added: [cube(200)] },
        ben: { decisions: ['accept', 'accept', null] },
      }),
      run([cube(0)], { ann: { decisions: ['reject'] }, ben: { decisions: ['accept'] } }),
    ]);
    expect(result.runs).toBe(2);
    expect(result.readers.map(({ readerId }) => readerId)).toEqual(['ann', 'ben']);
    const [pair] = result.pairs;
    expect([pair.a, pair.b, pair.cohen.n]).toEqual(['ann', 'ben', 3]);
    expect(pair.observed).toBeCloseTo(1 / 3, 12);
    const [boxes] = pair.boxes;
    expect(boxes).toMatchObject({ mode: '3d', matched: 2, onlyA: 1, onlyB: 1 });
    expect(boxes.detection.value).toBeCloseTo(4 / 6, 12);
    // IoU 1 at step 0 and 500 / 1500 at step 1.
    expect(boxes.meanIou.value).toBeCloseTo((1 + 1 / 3) / 2, 12);
    expect(boxes.histogram).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    const ann = result.readersAgainstModel[0];
    expect(ann.decisions).toEqual({ accept: 1, reject: 2, correct: 1 });
    // Four decided steps of the model, two of them rejected; one box of ann's own.
    expect(ann.boxes[0]).toMatchObject({ matched: 2, onlyA: 1, onlyB: 2 });
  });

  it('has kappa null where all decisions are one', () => {
    const result = agreement([
      run([cube(0), cube(50)], {
        ann: { decisions: ['accept', 'accept'] },
        ben: { decisions: ['accept', 'accept'] },
      }),
    ]);
    expect(result.pairs[0].observed).toBe(1);
    expect(result.pairs[0].cohen).toEqual({ value: null, low: null, high: null, n: 2 });
    expect(result.fleiss.value).toBeNull();
  });

  it('takes runs without boxes', () => {
    const [pair] = agreement([run([], { ann: {}, ben: {} })]).pairs;
    expect(pair.observed).toBeNull();
    expect(pair.boxes[0]).toMatchObject({ matched: 0, onlyA: 0, onlyB: 0 });
    expect(pair.boxes[0].detection.value).toBeNull();
    expect(pair.boxes[0].meanIou.value).toBeNull();
  });

  it('measures 2D boxes in their slice, and keeps 2D and 3D apart', () => {
    const flat = (x: number, z: number): SourceBox => ({ min: [x, 0, z], max: [x + 10, 10, z + 1] });
    const two = run(
      [flat(0, 7)],
      {
        // The corrected box was given another thickness: in a 2D run that is no difference.
        ann: { decisions: ['correct'], boxes: { 0: { min: [0, 0, 2], max: [10, 10, 12] } } },
        ben: { decisions: ['accept'] },
      },
      { mode: '2d' },
    );
    const three = run([cube(0)], { ann: { decisions: ['accept'] }, ben: { decisions: ['accept'] } });
    const [pair] = agreement([two, three]).pairs;
    expect(pair.boxes.map(({ mode, meanIou }) => [mode, meanIou.value])).toEqual([
      ['2d', 1],
      ['3d', 1],
    ]);
  });

  it('compares the adjudicator with the model only', () => {
    const result = agreement([
      run([cube(0)], {
        ann: { decisions: ['accept'] },
        ben: { decisions: ['accept'] },
        dee: { decisions: ['reject'] },
      }),
    ]);
    expect(result.pairs).toHaveLength(1);
    expect(result.readersAgainstModel.map(({ readerId }) => readerId)).toEqual(['ann', 'ben', 'dee']);
  });

  it('gives intervals that hold the value, for three readers and many cases', () => {
    const given: Decision[] = ['accept', 'reject', 'correct'];
    const runs = Array.from({ length: 30 }, (_, index) => {
      const decision = (offset: number) => given[(index + (index % 4 === 0 ? offset : 0)) % 3];
      return run([cube(0), cube(100)], {
        ann: { decisions: [decision(0), 'accept'], boxes: { 0: cube(index % 3) } },
        ben: { decisions: [decision(1), 'accept'], boxes: { 0: cube(2) } },
        cem: { decisions: [decision(2), index % 5 ? 'accept' : 'reject'] },
      });
    });
    const result = agreement(runs);
    expect(result.pairs).toHaveLength(3);
    const estimates = [
      result.fleiss,
      ...result.pairs.flatMap(({ cohen, boxes }) => [cohen, boxes[0].detection, boxes[0].meanIou]),
    ];
    for (const { value, low, high } of estimates) {
      expect(low).toBeLessThanOrEqual(value!);
      expect(high).toBeGreaterThanOrEqual(value!);
      expect(low).toBeLessThan(high!);
    }
  });
});

describe('disagreements', () => {
  it('are steps with other decisions or places, and boxes that not all added', () => {
    const one = run([cube(0), cube(50), cube(100)], {
      ann: {
        decisions: ['accept', 'accept', 'correct'],
        boxes: { 2: cube(102) },
        added: [cube(300), cube(200)],
      },
      ben: { decisions: ['reject', 'accept', 'correct'], boxes: { 2: cube(108) }, added: [cube(201)] },
    });
    const rows = disagreementsOf(one, readers).map((row) => disagreementSchema.parse(row));
    expect(rows.map(({ step, said, iou }) => [step, said.map(({ what }) => what), iou])).toEqual([
      [0, ['accept', 'reject'], null],
      [2, ['correct', 'correct'], 4 / 16],
      [null, ['added'], null],
    ]);
    expect(rows[2].said[0].readerId).toBe('ann');
  });

  it('need two finished readings, and are settled by the adjudicator', () => {
    const said: Record<string, Said> = { ann: { decisions: ['accept'] }, ben: { decisions: ['reject'] } };
    expect(disagreementsOf(run([cube(0)], { ann: said.ann }), readers)).toEqual([]);
    expect(
      disagreementsOf(run([cube(0)], { ...said, ben: { ...said.ben, status: 'reading' } }), readers),
    ).toEqual([]);
    expect(disagreementsOf(run([cube(0)], said), readers)[0].settled).toBe(false);
    const settled = run([cube(0)], { ...said, dee: { decisions: ['accept'] } });
    expect(disagreementsOf(settled, readers)[0].settled).toBe(true);
  });

  it('come worst first, settled ones last', () => {
    const both = (a: Said, b: Said, c: Said = {}) => run([cube(0)], { ann: a, ben: b, cem: c });
    const correct = (x: number): Said => ({ decisions: ['correct'], boxes: { 0: cube(x) } });
    const near = both({ decisions: ['accept'] }, correct(1));
    const far = both({ decisions: ['accept'] }, correct(9));
    const split = both({ decisions: ['accept'] }, { decisions: ['reject'] });
    const settled = run([cube(0)], {
      ann: { decisions: ['accept'] },
      ben: { decisions: ['reject'] },
      dee: { decisions: ['reject'] },
    });
    const rows = listDisagreements([settled, near, far, split], readers);
    expect(rows.map(({ runId }) => runId)).toEqual([split, far, near, settled].map(({ runId }) => runId));
  });
});
