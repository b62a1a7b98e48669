/**
 * What a run comes to once a reader's corrections are laid over it: the one view that every export writes from.
 *
 * Rules
 *  1. The trace is never changed. A corrected box stands in place of the model's, which stays beside it as `modelBox`.
 *  2. A rejected step keeps its place and is marked; formats that only list what is there leave it out (see `kept`).
 *  3. A box that a reader added has no step; `part` says which step's words speak of it.
 */
import {
  type AffineChain,
  type LocatedBox,
  locateBox,
  type ProcessorBox,
} from '../../src-contract/geometry.ts';
import { type Review, rejectReasons, type Verdict } from '../../src-contract/review.ts';
import type { OptionLetter } from '../../src-contract/run-events.ts';
import {
  clipToSource,
  locateSourceBox,
  type ProcessorEdges,
  type SourceBox,
  sourceBoxOf,
  toProcessorBox,
  toProcessorEdges,
} from '../../src-contract/source-box.ts';
import { summarizeEvents, type Trace, type TraceStep, type TraceSummary } from '../../src-contract/trace.ts';

/** Who the box is by: the model, the model and put right by the reader, or the reader alone. */
export type Origin = 'model' | 'corrected' | 'reader';

export interface Finding {
  /** 'step-1', counted from 1 as people do, or 'added-1'. */
  readonly key: string;
  /** 0-based step; null for a box that a reader added. */
  readonly step: number | null;
  /** The part whose words speak of an added box; the step itself for a step. */
  readonly part: number | null;
  readonly origin: Origin;
  readonly verdict: Verdict | null;
  readonly rejected: boolean;
  /** 'Box 1', or what the reader called an added box. */
  readonly label: string;
  /** The words that lead to the box, amended where the reader did; without markup. */
  readonly text: string;
  readonly textAmended: boolean;
  /** Edges in source voxels. */
  readonly box: SourceBox;
  /** The same with its patient corners; null corners where the file carries no position. */
  readonly located: LocatedBox;
  /** The same in processor pixels, not rounded. */
  readonly edges: ProcessorEdges;
  /** The whole pixels and slices of the model that the box covers. */
  readonly pixels: ProcessorBox;
  /** Where the model put it; null for added boxes. */
  readonly modelBox: SourceBox | null;
}

export interface EffectiveAnswer {
  /** By the reference's inference rule, or as amended; null where there is none. */
  readonly letter: OptionLetter | null;
  /** Clean text. */
  readonly text: string;
  readonly amended: boolean;
}

export interface Findings {
  readonly trace: Trace;
  readonly review: Review | null;
  readonly summary: TraceSummary;
  readonly chain: AffineChain;
  readonly mode: '2d' | '3d';
  readonly synthetic: boolean;
  readonly steps: readonly Finding[];
  readonly added: readonly Finding[];
  /** Words after the last box and before the answer; without markup. */
  readonly closing: string;
  readonly answer: EffectiveAnswer;
}

const markup = /<\|[a-z_]+\|>|<\/?think>/g;
const boxMarkup = /<\|box_start\|>[\s\S]*?<\|box_end\|>/g;

/** Words for people: no box numbers, no special tokens. */
export function cleanWords(text: string): string {
  return text
    .replace(boxMarkup, ' ')
    .replace(markup, ' ')
    .replace(/[ \t]+/g, ' ')
    .trim();
}

/** The words of the reasoning after the last box: what stands before the end of the think tag. */
function closingWords(text: string): string {
  const end = text.indexOf('</think>');
  return cleanWords(end < 0 ? text : text.slice(0, end));
}

const isLetter = (value: string | null | undefined): value is OptionLetter =>
  value === 'A' || value === 'B' || value === 'C' || value === 'D';

export function findingsOf(trace: Trace, review: Review | null): Findings {
  const summary = summarizeEvents(trace.events);
  const { chain } = trace;
  const mode = summary.started?.mode ?? (chain.gridSize[2] > 1 ? '3d' : '2d');
  const answerText = summary.answer?.text ?? '';
  const letter = summary.answer?.answers.inference ?? null;
  const amended = review?.answer ?? null;
  const closing = review?.sentences[summary.steps.length];
  return {
    trace,
    review,
    summary,
    chain,
    mode,
    synthetic: trace.synthetic,
    steps: summary.steps.map((step) => stepFinding(chain, step, review)),
    added: addedFindings(chain, review),
    closing: closing === undefined ? closingWords(summary.closingText) : cleanWords(closing),
    answer: amended
      ? { letter: amended.letter, text: amendedText(trace, amended), amended: true }
      : { letter: isLetter(letter) ? letter : null, text: cleanWords(answerText), amended: false },
  };
}

function amendedText(trace: Trace, { letter, text }: NonNullable<Review['answer']>): string {
  if (letter === null || text.trim() !== '') return text.trim();
  const option = trace.options[letter];
  return option ? `${letter}. ${option}` : letter;
}

function stepFinding(chain: AffineChain, step: TraceStep, review: Review | null): Finding {
  const verdict = review?.verdicts[step.step] ?? null;
  const modelBox = sourceBoxOf(step.box.located);
  const drawn = review?.boxes[step.step];
  const corrected = drawn && clipToSource(chain, drawn);
  const sentence = review?.sentences[step.step];
  return {
    key: `step-${step.step + 1}`,
    step: step.step,
    part: step.step,
    origin: corrected ? 'corrected' : 'model',
    verdict,
    rejected: verdict?.decision === 'reject',
    label: `Box ${step.step + 1}`,
    text: cleanWords(sentence ?? step.text),
    textAmended: sentence !== undefined,
    modelBox,
    ...(corrected ? placed(chain, corrected) : placedModelBox(chain, step.box.clamped)),
  };
}

function addedFindings(chain: AffineChain, review: Review | null): Finding[] {
  const found: Finding[] = [];
  for (const id of Object.keys(review?.added ?? {}).sort()) {
    const added = review?.added[id];
    const box = added && clipToSource(chain, added.box);
    if (!added || !box) continue;
    const number = found.length + 1;
    found.push({
      key: `added-${number}`,
      step: null,
      part: added.part,
      origin: 'reader',
      verdict: null,
      rejected: false,
      label: added.label.trim() || `Added box ${number}`,
      text: '',
      textAmended: false,
      modelBox: null,
      ...placed(chain, box),
    });
  }
  return found;
}

type Place = Pick<Finding, 'box' | 'located' | 'edges' | 'pixels'>;

function placed(chain: AffineChain, box: SourceBox): Place {
  return {
    box,
    located: locateSourceBox(chain, box),
    edges: toProcessorEdges(chain, box),
    pixels: toProcessorBox(chain, box),
  };
}

/** The model's own pixels are whole already: carrying them there and back would only add rounding. */
function placedModelBox(chain: AffineChain, clamped: ProcessorBox): Place {
  const located = locateBox(chain, clamped);
  return { box: sourceBoxOf(located), located, edges: clamped, pixels: clamped };
}

/** Boxes that stand: rejected steps left out, added boxes after the steps. */
export function keptFindings({ steps, added }: Findings): Finding[] {
  return [...steps.filter(({ rejected }) => !rejected), ...added];
}

/** Everything, rejected steps too, for formats that can mark them. */
export const allFindings = ({ steps, added }: Findings): Finding[] => [...steps, ...added];

/** 'accepted', 'rejected: wrong place; …', 'corrected', 'not reviewed', 'added by the reader'. */
export function describeVerdict({ origin, verdict }: Finding): string {
  if (origin === 'reader') return 'added by the reader';
  if (!verdict) return origin === 'corrected' ? 'corrected' : 'not reviewed';
  switch (verdict.decision) {
    case 'accept':
      return origin === 'corrected' ? 'corrected' : 'accepted';
    case 'correct':
      return 'corrected';
    case 'reject': {
      const reasons = verdict.reasons.map((reason) => rejectReasons[reason].toLowerCase());
      return reasons.length > 0 ? `rejected: ${reasons.join('; ')}` : 'rejected';
    }
    default:
      return verdict.decision satisfies never;
  }
}

/** Lengths of the edges along source i, j, k in millimetres; null where the file carries no position. */
export function sideLengths(
  { patientCorners }: LocatedBox,
  chain: AffineChain,
): [number, number, number] | null {
  if (!patientCorners || !chain.sourceToPatient) return null;
  const side = (axis: number): number => {
    // Corner order follows processor x, y, z; which source axis each is, the chain says.
    const canonical = [0, 1, 2].findIndex((c) => chain.canonicalToSource[axis * 4 + c] !== 0);
    const [from, to] = [patientCorners[0], patientCorners[1 << canonical]];
    return Math.hypot(to[0] - from[0], to[1] - from[1], to[2] - from[2]);
  };
  return [side(0), side(1), side(2)];
}

/** Centre in patient millimetres (LPS). */
export function patientCentre({ patientCorners }: LocatedBox): [number, number, number] | null {
  if (!patientCorners) return null;
  const mean = (axis: number): number =>
    patientCorners.reduce((sum, corner) => sum + corner[axis], 0) / patientCorners.length;
  return [mean(0), mean(1), mean(2)];
}

/** Whole voxels, first and last along i, j, k, whose centres lie inside; at least the nearest one. */
export function voxelRange(chain: AffineChain, { min, max }: SourceBox): [number, number][] {
  return min.map((low, axis) => {
    const size = chain.sourceSize[axis];
    const first = Math.max(0, Math.ceil(low));
    const last = Math.min(size - 1, Math.ceil(max[axis]) - 1);
    if (first <= last) return [first, last];
    const nearest = Math.min(size - 1, Math.max(0, Math.round((low + max[axis]) / 2)));
    return [nearest, nearest];
  });
}
