/** The model's words without what is not for readers, and what the review says of boxes and decisions. */
import { sliceAxis } from '../../src-contract/box-measures.ts';
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { Decision } from '../../src-contract/review.ts';
import type { SourceBox } from '../../src-contract/source-box.ts';
import type { TraceSummary } from '../../src-contract/trace.ts';

/** Boxes and special tokens taken out; white space as one reads it. */
export function plainWords(text: string): string {
  return text
    .replace(/<\|box_start\|>[\s\S]*?(?:<\|box_end\|>|$)/g, '')
    .replace(/<\|[a-z_]{1,40}\|>|<\/?think>/gi, '')
    .replace(/[ \t]+\n/g, '\n')
    .trim();
}

/** The words after the last box: what still belongs to the reasoning, and the answer. */
export function closingParts({ steps, closingText }: Pick<TraceSummary, 'steps' | 'closingText'>): {
  readonly reasoning: string;
  readonly answer: string;
} {
  const end = closingText.search(/<\/think>/i);
  if (end >= 0) {
    return { reasoning: plainWords(closingText.slice(0, end)), answer: plainWords(closingText.slice(end)) };
  }
  // Cut in the middle of its reasoning: there is no answer. A model that does not think aloud only answers.
  const isReasoning = [...steps.map(({ text }) => text), closingText].some((text) => /<think>/i.test(text));
  const words = plainWords(closingText);
  return isReasoning ? { reasoning: words, answer: '' } : { reasoning: '', answer: words };
}

export const decisionWords: Readonly<Record<Decision, string>> = {
  accept: 'Accepted',
  reject: 'Rejected',
  correct: 'Corrected',
};

/** Slices, numbered from 1, whose centres a box holds: along the axis that the model's slices run along. */
export function slicesOf(chain: AffineChain, { min, max }: SourceBox): readonly [number, number] {
  const axis = sliceAxis(chain);
  const first = Math.ceil(min[axis] - 1e-6) + 1;
  return [first, Math.max(first, Math.ceil(max[axis] - 1e-6))];
}

/** '24 × 31 × 9 mm', or in voxels where the file has no spacing. */
export function describeSize(
  { min, max }: SourceBox,
  spacing: readonly [number, number, number] | null,
  hasDepth: boolean,
): string {
  const sides = [0, 1, 2]
    .slice(0, hasDepth ? 3 : 2)
    .map((axis) => (max[axis] - min[axis]) * (spacing?.[axis] ?? 1));
  const words = sides.map((side) => (side >= 10 ? side.toFixed(0) : side.toFixed(1)));
  return `${words.join(' × ')} ${spacing ? 'mm' : 'px'}`;
}

/** '4:07', '1:02:09'. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
