/** Two runs beside each other: what differs in the asking, their words step by step, their boxes, rewards and timings. */
import type { AlignedStep, Comparison } from '../../../src-contract/comparison.ts';
import { type SourceBox, sourceBoxOf } from '../../../src-contract/source-box.ts';
import { summarizeEvents, type Trace, type TraceSummary } from '../../../src-contract/trace.ts';
import { formatReward, rewardAnswer } from '../../engine/grounding/answers.ts';
import { alignSteps } from './align-steps.ts';
import { differencesOf, targetInWords } from './differences.ts';
import { measureBetween, samePixels } from './run-target.ts';
import { diffWords, wordsOf } from './word-diff.ts';

export interface ComparedRun {
  readonly runId: string;
  readonly trace: Trace;
}

/** Any two runs. Boxes are measured against each other where both are about the same source pixels (see samePixels). */
export function compareRuns(a: ComparedRun, b: ComparedRun): Comparison {
  const [summaryA, summaryB] = [summarizeEvents(a.trace.events), summarizeEvents(b.trace.events)];
  const same = samePixels(a.trace, b.trace);
  const measure = same ? measureBetween(a.trace, b.trace) : null;
  const boxOf = (summary: TraceSummary, step: number | null): SourceBox | null =>
    step === null ? null : sourceBoxOf(summary.steps[step].box.located);
  const measures = (stepA: number | null, stepB: number | null) => {
    const [boxA, boxB] = [boxOf(summaryA, stepA), boxOf(summaryB, stepB)];
    return boxA && boxB && measure ? measure(boxA, boxB) : null;
  };
  const pairs = alignSteps(
    summaryA.steps.length,
    summaryB.steps.length,
    (stepA, stepB) => measures(stepA, stepB)?.iou ?? 0,
  );
  const steps = pairs.map(([stepA, stepB]): AlignedStep => {
    const measured = measures(stepA, stepB);
    return {
      a: stepA,
      b: stepB,
      closing: false,
      words: diffWords(wordsAt(summaryA, stepA), wordsAt(summaryB, stepB)),
      boxA: boxOf(summaryA, stepA),
      boxB: boxOf(summaryB, stepB),
      iou: measured?.iou ?? null,
      centre: measured?.centre ?? null,
    };
  });
  const closing: AlignedStep = {
    a: null,
    b: null,
    closing: true,
    words: diffWords(wordsOf(summaryA.closingText), wordsOf(summaryB.closingText)),
    boxA: null,
    boxB: null,
    iou: null,
    centre: null,
  };
  return {
    a: sideOf(a, summaryA),
    b: sideOf(b, summaryB),
    samePixels: same,
    differences: differencesOf(a.trace, b.trace),
    steps: [...steps, closing],
  };
}

const wordsAt = (summary: TraceSummary, step: number | null): string =>
  step === null ? '' : wordsOf(summary.steps[step].text);

function sideOf({ runId, trace }: ComparedRun, summary: TraceSummary): Comparison['a'] {
  const { started, answer, finished } = summary;
  const response = finished?.response ?? '';
  return {
    runId,
    label: [
      targetInWords(trace),
      started?.preset,
      started && `${started.model.name} ${started.model.precision}`,
    ]
      .filter(Boolean)
      .join(' · '),
    answer: answer?.text ?? null,
    answerReward: trace.expected === null ? null : rewardAnswer(response) === trace.expected ? 1 : 0,
    formatReward: formatReward(response),
    totalMs: finished?.timings.totalMs ?? null,
    newTokens: finished?.newTokens ?? null,
    stopReason: finished?.stopReason ?? null,
  };
}
