import { describe, expect, it } from 'vitest';
import { emptyReview, type Review } from '../../src-contract/review.ts';
import { sourceBoxOf } from '../../src-contract/source-box.ts';
import type { Trace } from '../../src-contract/trace.ts';
import { createFakeModel } from '../engine/grounding/fake-model.ts';
import { runGrounded } from '../engine/grounding/loop.ts';
import { testRequest } from '../engine/grounding/test-request.ts';
import { TraceRecorder } from '../trace/recorder.ts';
import {
  allFindings,
  cleanWords,
  describeVerdict,
  findingsOf,
  keptFindings,
  patientCentre,
  sideLengths,
  voxelRange,
} from './findings.ts';

const options = { A: 'left', B: 'right' };

async function tracedRun(): Promise<Trace> {
  const request = testRequest({ mode: '3d', options });
  const recorder = new TraceRecorder({
    app: { name: 'readroom', version: '0.1.0' },
    createdAt: '2026-01-02T03:04:05.678Z',
    synthetic: true,
    sources: [],
    series: null,
    chain: request.chain,
    normalization: null,
    question: 'Where?',
    options,
    expected: null,
  });
  const script = [
    '<think>See <|box_start|>[1,2,1,30,40,3]<|box_end|>',
    ' and <|box_start|>[3,4,2,20,26,4]<|box_end|>',
    ' a node.</think>\nB. right<|im_end|>',
  ];
  await runGrounded(createFakeModel({ script }), request, (event) => recorder.record(event));
  return recorder.trace();
}

const verdict = { reasons: [], comment: '' };

describe('findings', () => {
  it('without a review are the model’s own', async () => {
    const trace = await tracedRun();
    const findings = findingsOf(trace, null);
    expect(findings.steps.map(({ text, origin, label }) => [text, origin, label])).toEqual([
      ['See', 'model', 'Box 1'],
      ['and', 'model', 'Box 2'],
    ]);
    expect(findings.closing).toBe('a node.');
    expect(findings.answer).toEqual({ letter: 'B', text: 'B. right', amended: false });
    const [first] = findings.steps;
    expect(first.edges).toEqual({ x1: 1, y1: 2, z1: 1, x2: 30, y2: 40, z2: 3 });
    expect(first.modelBox).toEqual(first.box);
    expect(describeVerdict(first)).toBe('not reviewed');
  });

  it('with one: corrected, rejected, added and amended, the trace untouched', async () => {
    const trace = await tracedRun();
    const before = structuredClone(trace);
    const box = { min: [2.25, 3, 0.5], max: [20, 21.75, 2.5] } as Review['boxes'][number];
    const review: Review = {
      ...emptyReview('test', 'r'),
      verdicts: {
        0: { ...verdict, decision: 'correct' },
        1: { ...verdict, decision: 'reject', reasons: ['wrong-place', 'repeated'] },
      },
      boxes: { 0: box },
      added: {
        x: { box: { min: [40, 40, 1.5], max: [90, 60, 9] }, label: '', part: 1 },
        outside: { box: { min: [500, 0, 0], max: [501, 1, 1] }, label: 'nowhere', part: null },
      },
      sentences: { 0: 'Look at this', 2: 'nothing else.' },
      answer: { letter: 'A', text: '' },
    };
    const findings = findingsOf(trace, review);
    expect(trace).toEqual(before);
    const [first, second] = findings.steps;
    expect(first).toMatchObject({ origin: 'corrected', text: 'Look at this', textAmended: true, box });
    expect(first.modelBox).not.toEqual(box);
    expect(describeVerdict(second)).toBe('rejected: wrong place; repeated');
    expect(keptFindings(findings).map(({ key }) => key)).toEqual(['step-1', 'added-1']);
    expect(allFindings(findings)).toHaveLength(3);
    // Moved inside the source: 50 x 50 x 4 voxels.
    expect(findings.added[0].box).toEqual({ min: [40, 40, 1.5], max: [49.5, 49.5, 3.5] });
    expect(findings.closing).toBe('nothing else.');
    expect(findings.answer).toEqual({ letter: 'A', text: 'A. left', amended: true });
  });

  it('measures in voxels and millimetres', async () => {
    const trace = await tracedRun();
    const finding = findingsOf(trace, null).steps[0];
    const sides = sideLengths(finding.located, trace.chain)!;
    const { min, max } = finding.box;
    // The chain's spacing is 2 x 2 x 3 mm.
    expect(sides[0]).toBeCloseTo((max[0] - min[0]) * 2, 9);
    expect(sides[2]).toBeCloseTo((max[2] - min[2]) * 3, 9);
    expect(patientCentre(finding.located)![2]).toBeCloseTo(30 + 3 * ((min[2] + max[2]) / 2), 9);
    expect(sourceBoxOf(finding.located)).toEqual(finding.box);
  });

  it('counts voxels by their centres, and never none', async () => {
    const { chain } = await tracedRun();
    expect(voxelRange(chain, { min: [-0.5, 1.2, 2], max: [0.5, 1.9, 3] })).toEqual([
      [0, 0],
      [2, 2],
      [2, 2],
    ]);
  });

  it('cleans words of markup', () => {
    expect(cleanWords('<think>A  b <|box_start|>[1,2]<|box_end|> c</think><|im_end|>')).toBe('A b c');
  });
});
