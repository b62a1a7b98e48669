/** Projects to begin with: runs about the bundled case as a scripted model would have made them, and readings of them. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reader } from '../../src-contract/project.ts';
import type { Decision, Edit } from '../../src-contract/review.ts';
import type { Options } from '../../src-contract/run-events.ts';
import { parseTrace, serializeTrace, type Trace } from '../../src-contract/trace.ts';
import { createFakeModel } from '../../src-main/engine/grounding/fake-model.ts';
import { runGrounded } from '../../src-main/engine/grounding/loop.ts';
import { testRequest } from '../../src-main/engine/grounding/test-request.ts';
import { prepareStudyInput } from '../../src-main/runs/prepare-study.ts';
import type { PreparedInput } from '../../src-main/runs/prepared-input.ts';
import { withProcessor } from '../../src-main/slices/affine-chain.ts';
import { Project } from '../../src-main/storage/project/project.ts';
import { makeTrace } from '../../src-main/storage/project/testing/make-trace.ts';
import { openStudy } from '../../src-main/study/open-study.ts';
import { TraceRecorder } from '../../src-main/trace/recorder.ts';
import { root } from './readroom.ts';

export const sampleTitle = 'Thorax CT with a synthetic lesion';
export const sampleFile = join(root, 'resources', 'samples', 'thorax-ct-synthetic-lesion.mha');

/** The bundled case as a question's input: the volume, or one of its slices; from a copy of it where one is named. */
export async function sampleInput(slice?: number, file = sampleFile): Promise<PreparedInput> {
  return prepareStudyInput(await openStudy([file]), { slice });
}

export interface ScriptedRun {
  readonly runId: string;
  readonly question: string;
  readonly options: Options;
  /** What the model says, up to and with each box; the end last. */
  readonly script: readonly string[];
}

/** The real loop, with its crops and its geometry, on a model that says what it is told. */
export async function scriptedRun(input: PreparedInput, run: ScriptedRun): Promise<Trace> {
  const model = createFakeModel({ script: run.script });
  const [image] = input.images;
  const { width, height } = model.imageProcessor.processedSize(image?.width ?? 0, image?.height ?? 0);
  const chain = withProcessor(input.chain, width, height);
  const recorder = new TraceRecorder({
    app: { name: 'readroom', version: '0.1.0' },
    createdAt: '2026-01-02T03:04:05.678Z',
    synthetic: true,
    sources: [...input.sources],
    series: input.series,
    chain,
    normalization: input.normalization,
    question: run.question,
    options: run.options,
    expected: null,
  });
  const request = testRequest({
    runId: run.runId,
    mode: input.mode,
    images: [...input.images],
    options: run.options,
    promptText: run.question,
    chain,
  });
  await runGrounded(model, request, (event) => recorder.record(event));
  return parseTrace(serializeTrace(recorder.trace()));
}

const box = (...numbers: readonly number[]): string => `<|box_start|>[${numbers.join(',')}]<|box_end|>`;

/** Three boxes: on the lesion, beside it, and too small. */
export const threeSteps: ScriptedRun = {
  runId: 'three-steps',
  question: 'Where is the lesion?',
  options: { A: 'right lung', B: 'left lung' },
  script: [
    `<think>A bright mass lies in the right lung at ${box(76, 86, 12, 124, 132, 19)}`,
    ` and there may be another one at ${box(150, 90, 12, 190, 130, 18)}`,
    ` while the centre of the first is at ${box(90, 98, 14, 110, 118, 16)}`,
    ' so it is in the right lung.</think>\n\nA. right lung<|im_end|>',
  ],
};

/** One cuboid, the same question. */
export const oneCuboid: ScriptedRun = {
  ...threeSteps,
  runId: 'one-cuboid',
  script: [
    `<think>A bright mass lies in the right lung at ${box(76, 86, 12, 124, 132, 19)}`,
    ' so it is in the right lung.</think>\n\nA. right lung<|im_end|>',
  ],
};

/** One box on a slice, the same question. */
export const onSlice = (slice: number, numbers: readonly number[]): ScriptedRun => ({
  ...threeSteps,
  runId: `slice-${slice}`,
  script: [
    `<think>On this slice it lies at ${box(...numbers)}`,
    ' so it is in the right lung.</think>\n\nA. right lung<|im_end|>',
  ],
});

const scribe: Reader = { readerId: 'scribe', name: 'Fixture', role: 'reader' };

/** A library as the program keeps it, with these runs in it. */
export async function seedLibrary(
  userData: string,
  traces: readonly Trace[],
  titles: readonly string[] = [],
): Promise<void> {
  const project = await Project.create(join(userData, 'library.readroom'), 'Library', scribe);
  for (const [n, trace] of traces.entries()) project.addRun(trace, titles[n] ?? sampleTitle);
  project.close();
}

const decisions: readonly Decision[] = ['accept', 'reject', 'correct'];

/** A library in which two readers have decided on steps as two columns of a table say; five steps a run, a case each. */
export async function seedReadings(
  userData: string,
  a: readonly number[],
  b: readonly number[],
): Promise<void> {
  const project = await Project.create(join(userData, 'library.readroom'), 'Library', scribe);
  const steps = 5;
  const readers = ['Ada', 'Ben'].map((name) => project.addReader({ name, role: 'reader' }));
  for (let first = 0; first < a.length; first += steps) {
    const runId = `run-${first}`;
    const count = Math.min(steps, a.length - first);
    project.addRun(makeTrace({ runId, pixels: `case-${first}`, steps: count }), `Case ${first / steps + 1}`);
    for (const [n, { readerId }] of readers.entries()) {
      project.chooseReader(readerId);
      const said = (n === 0 ? a : b).slice(first, first + count);
      const edits = said.map((value, step): Edit => {
        const after = { decision: decisions[value] ?? 'accept', reasons: [], comment: '' };
        return { kind: 'verdict', runId, readerId, step, before: null, after };
      });
      const reading = { status: 'done' as const, activeMs: 1_000, revealed: false };
      project.edit([...edits, { kind: 'reading', runId, readerId, before: null, after: reading }]);
    }
  }
  project.close();
}

/**
 * A library and a copy of it, in both of which one reader has said something else of the same run since.
 * @returns the copy's file
 */
export async function seedConflict(userData: string, here: string, there: string): Promise<string> {
  const file = join(userData, 'library.readroom');
  const copy = join(userData, 'copy.readroom');
  const trace = makeTrace({ runId: 'run', steps: 1 });
  const project = await Project.create(file, 'Library', scribe);
  project.addRun(trace, 'Case');
  project.edit([{ kind: 'blinding', before: null, after: { others: false, model: false } }]);
  project.close();
  copyFileSync(file, copy);
  for (const [path, after] of [
    [file, here],
    [copy, there],
  ] as const) {
    const one = Project.open(path, { reader: scribe, trusted: true });
    const { readerId } = scribe;
    one.edit([{ kind: 'comment', runId: 'run', readerId, before: null, after }]);
    if (path === copy) one.addRun(makeTrace({ runId: 'other', pixels: 'other' }), 'Other case');
    one.close();
  }
  return copy;
}
