import { describe, expect, it } from 'vitest';
import { fixtureTable } from '../slices/test-fixtures.ts';
import { evaluate } from './evaluate.ts';
import { mcnemarExact } from './mcnemar.ts';
import { scoreRecords } from './predictions.ts';

const box = (...numbers: number[]) => `<think><|box_start|>[${numbers.join(',')}]<|box_end|></think>`;
const batch = (name: string, records: object[]) => ({ name, records: scoreRecords(records, `${name}.json`) });
const row = (index: number, response: string, more: object = {}) => ({
  question: 'Which?',
  image_path: `${index}.png`,
  answer: 'A',
  kind: index % 2 ? 'side' : 'type',
  boxes: [[0, 0, 10, 10]],
  response,
  ...more,
});

describe('scoreRecords', () => {
  it('compares boxes of 4 and 6 numbers, upper bounds exclusive', () => {
    const records = [
      row(0, box(0, 0, 10, 10)),
      row(1, box(10, 0, 20, 10)),
      {
        'Image Path': 'v.npy',
        Question: 'Q',
        Answer: 'B',
        Boxes: '[[0,0,0,10,10,4]]',
        response: box(0, 0, 2, 10, 10, 6),
      },
      row(2, box(9, 9, 1, 1)),
      row(3, 'no box'),
      // The best of several counts.
      row(4, box(50, 50, 60, 60) + box(0, 0, 10, 5)),
    ];
    const ious = scoreRecords(records, 'f').map((scored) => scored.ious?.[0]);
    expect(ious).toEqual([1, 0, expect.closeTo(1 / 3, 9), 0, 0, 0.5]);
  });

  it('scores answers by three rules, and the training reward', () => {
    const [trap, plain, failed, unknown] = scoreRecords(
      [
        // The reward rule reads the article as choice A.
        row(0, '<think>x</think>This is a lesion. B.', { answer: 'B' }),
        row(1, '<think>x</think>A. left', { option_A: 'left', option_B: 'right' }),
        row(2, '', { error: 'no such file' }),
        { response: 'A.' },
      ],
      'f',
    );
    expect(trap.right).toEqual({ inference: true, reward: false, strict: false });
    expect(trap.reward).toBeCloseTo(0.2, 12);
    expect(plain.right).toEqual({ inference: true, reward: true, strict: true });
    expect(plain.reward).toBeCloseTo(1, 12);
    expect(failed).toMatchObject({ failed: true, right: { inference: false }, reward: 0 });
    expect(unknown).toMatchObject({ right: null, reward: null, ious: null, kind: 'unknown' });
  });

  it('names the record that is none', () => {
    expect(() => scoreRecords([row(0, 'A'), { answer: 'A' }], 'out.json')).toThrow(
      'Record 1 of out.json: response',
    );
    expect(() => scoreRecords([{ response: '', Boxes: '[[' }], 'out.json')).toThrow('Boxes');
  });
});

describe('evaluate', () => {
  it('counts a missing box as 0, and a box without a truth as a false alarm', () => {
    const { batches } = evaluate([
      batch('one', [
        row(0, `${box(0, 0, 10, 10)}A.`),
        row(2, 'B.'),
        row(1, `${box(0, 0, 10, 10)}A.`, { boxes: [] }),
      ]),
    ]);
    const [all, side, type] = batches[0].scores;
    expect([all.kind, all.count, all.falseAlarms]).toEqual(['all', 3, 1]);
    expect(all.answers.inference.value).toBeCloseTo(2 / 3, 12);
    expect(all.meanIou).toEqual({ value: 0.5, low: null, high: null, n: 2 });
    expect(all.found.value).toBe(0.5);
    expect([side.kind, side.meanIou.value, side.falseAlarms]).toEqual(['side', null, 1]);
    expect([type.kind, type.answers.inference.value]).toEqual(['type', 0.5]);
  });

  it('sets batches of one table against the first, with intervals', () => {
    const rows = Array.from({ length: 60 }, (_, index) => index);
    const first = batch(
      'grounded',
      rows.map((index) => row(index, `${box(0, 0, 10, 10)}${index % 10 ? 'A.' : 'B.'}`)),
    );
    const second = batch(
      'blind',
      rows.map((index) => row(index, `${box(0, 0, 10, 5)}${index % 3 ? 'A.' : 'B.'}`)),
    );
    const { batches, differences } = evaluate([first, second]);
    expect(batches.map(({ scores }) => scores[0].answers.inference.value)).toEqual([
      0.9,
      expect.closeTo(2 / 3, 12),
    ]);
    const [{ name, byKind }] = differences;
    expect(name).toBe('blind');
    const [all] = byKind;
    // Wrong in the first: 0, 10, …, 50; in the second: every third. Both: 0, 30.
    expect([all.onlyFirst, all.onlySecond]).toEqual([18, 4]);
    expect(all.answers.value).toBeCloseTo(-14 / 60, 12);
    expect(all.answers.low).toBeLessThan(all.answers.value!);
    expect(all.answers.high).toBeLessThan(0);
    expect(all.p).toBeCloseTo(mcnemarExact(18, 4)!, 12);
    // The same loss in every case: no resample differs, so no interval is claimed.
    expect(all.meanIou).toEqual({ value: -0.5, low: null, high: null, n: 60 });
    expect(byKind.map(({ kind }) => kind)).toEqual(['all', 'side', 'type']);
  });

  it('widens the interval where an image has many questions', () => {
    const answers = (perImage: number) =>
      evaluate([
        batch(
          'one',
          Array.from({ length: 120 }, (_, index) => {
            const image = Math.floor(index / perImage);
            // All answers about an image are right, or all wrong.
            const seed = (image * 7919) % 10;
            return { ...row(index, seed < 6 ? 'A.' : 'B.'), image_path: `${image}.png` };
          }),
        ),
      ]).batches[0].scores[0].answers.inference;
    const width = ({ low, high }: { low: number | null; high: number | null }) => high! - low!;
    expect(width(answers(6))).toBeGreaterThan(1.5 * width(answers(1)));
  });

  it('has Wilson’s interval for all right', () => {
    const { answers } = evaluate([
      batch(
        'one',
        Array.from({ length: 20 }, (_, index) => row(index, 'A.')),
      ),
    ]).batches[0].scores[0];
    expect(answers.inference).toMatchObject({ value: 1, high: 1, n: 20 });
    expect(answers.inference.low).toBeCloseTo(0.8389, 3);
  });

  it('refuses batches over other tables', () => {
    const one = batch('one', [row(0, 'A'), row(1, 'A')]);
    for (const other of [[row(0, 'A')], [row(0, 'A'), row(2, 'A')]]) {
      expect(() => evaluate([one, batch('two', other)])).toThrow(
        "'two' and 'one' are not about the same table",
      );
    }
    expect(evaluate([])).toEqual({ batches: [], differences: [] });
  });
});

describe('mcnemarExact', () => {
  it.each(fixtureTable<{ onlyA: number; onlyB: number; p: number }>('agreement/mcnemar.json'))(
    'is statsmodels’: $onlyA, $onlyB',
    ({ onlyA, onlyB, p }) => expect(mcnemarExact(onlyA, onlyB)).toBeCloseTo(p, 9),
  );
  it('is null where nothing differs', () => expect(mcnemarExact(0, 0)).toBeNull());
});
