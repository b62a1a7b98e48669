/** What the chat says of boxes, crops, stop reasons and progress: plain words, the same ones everywhere. */
import { missingCase } from '../../src-contract/errors.ts';
import type { Preset, RunEventOf, StopReason } from '../../src-contract/run-events.ts';

/** Source slices that a box spans, numbered from 1 as the viewer does: those whose centres are inside. */
export function sourceSlices({ located }: Pick<RunEventOf<'box'>, 'located'>): readonly [number, number] {
  const { min, max } = located.sourceVoxel;
  const first = Math.ceil(min[2]) + 1;
  return [first, Math.max(first, Math.floor(max[2]) + 1)];
}

const span = (first: number, last: number): string =>
  first === last ? `slice ${first}` : `slices ${first}–${last}`;

/** 'box 1 · slices 12–15'; a picture has no slices to name. */
export function chipLabel(box: RunEventOf<'box'>, mode: '2d' | '3d'): string {
  const name = `box ${box.step + 1}`;
  return mode === '2d' ? name : `${name} · ${span(...sourceSlices(box))}`;
}

/** The same at length, for the tooltip and for screen readers. */
export function chipTitle(box: RunEventOf<'box'>, mode: '2d' | '3d'): string {
  const { clamped, raw, sliceZeroOnly } = box;
  const parts = [`The model wrote [${raw.join(', ')}]`];
  const written = raw.length === 6 ? [raw[0], raw[1], raw[3], raw[4]] : raw;
  const shown = [clamped.x1, clamped.y1, clamped.x2, clamped.y2];
  if (written.some((value, n) => value !== shown[n])) parts.push(`cropped at [${shown.join(', ')}]`);
  if (mode === '3d') parts.push(`the model's own ${span(clamped.z1 + 1, clamped.z2)}`);
  if (sliceZeroOnly) parts.push('4 numbers in a 3D run: the first slice only, as the reference does');
  return parts.join(' · ');
}

/** What a reader must know of the crop; null where it is simply the box. */
export function cropNote({ injected }: Pick<RunEventOf<'crop'>, 'injected'>, preset: Preset): string | null {
  if (injected === 'random') return 'a random crop was shown to the model instead';
  if (injected === 'predicted') return null;
  return preset === 'no-injection'
    ? 'not shown to the model (boxes without crops)'
    : 'not shown to the model: nothing could follow it';
}

/** Why a run ended, where that is not the model's own end of turn. */
export function describeStop(reason: StopReason): string {
  switch (reason) {
    case 'end-of-turn':
      return 'the model ended its turn';
    case 'invalid-box':
      return 'the model wrote a box that is none, which ends the run';
    case 'round-token-limit':
      return 'cut: the limit of tokens in one round was reached';
    case 'token-limit':
      return 'cut: the limit of new tokens was reached';
    case 'round-limit':
      return 'cut: the limit of rounds was reached';
    case 'context-limit':
      return "cut: the model's context is full";
    case 'cancelled':
      return 'stopped by you';
    case 'failed':
      return 'failed';
    default:
      return missingCase(reason);
  }
}

export function describeProgress(
  { phase, done, total, cached }: RunEventOf<'progress'>,
  mode: '2d' | '3d',
): string {
  const count = total > 0 ? ` ${done}/${total}` : '';
  switch (phase) {
    case 'load':
      return `Loading the model${count}`;
    case 'vision':
      if (cached) return 'The images are known from the question before';
      return mode === '3d' ? `Reading ${total} slices${count}` : 'Reading the image';
    case 'prefill':
      return `Taking in the question${total > 0 ? ` ${Math.round((100 * done) / total)} %` : ''}`;
    default:
      return missingCase(phase);
  }
}

export const presetNames: Readonly<Record<Preset, { readonly name: string; readonly explanation: string }>> =
  {
    grounded: {
      name: 'Grounded',
      explanation: 'As trained: every box is cut out and shown to the model before it goes on.',
    },
    'no-injection': {
      name: 'Boxes without crops',
      explanation: 'The model may point, but never sees what it points at.',
    },
    'random-crop': {
      name: 'Random crops',
      explanation: 'In place of each box the model is shown a random region of the same size.',
    },
    'text-only': {
      name: 'Text only',
      explanation: 'Boxes are suppressed: the model reasons in words alone.',
    },
  };
