/** Prints a RunEvent stream for a person: the reasoning as it comes, each box with where it lies in the patient. */

import { missingCase } from '../../src-contract/errors.ts';
import type { Answers, RunEvent, RunEventOf, StopReason } from '../../src-contract/run-events.ts';
import { researchNotice } from '../../src-contract/trace.ts';
import { formatSeconds, note } from './terminal.ts';

type Corner = readonly number[];

/** 'L 12.3' / 'R 4.0': patient axes as letters, so that nobody has to remember the sign convention (LPS). */
function patientPosition([x, y, z]: Corner): string {
  const part = (value: number, positive: string, negative: string) =>
    `${value >= 0 ? positive : negative} ${Math.abs(value).toFixed(1)}`;
  return `${part(x, 'L', 'R')}, ${part(y, 'P', 'A')}, ${part(z, 'S', 'I')} mm`;
}

function edgeLength(a: Corner, b: Corner): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** One line that says where a box lies: slices of the model, source voxels (inclusive), patient millimetres. */
export function describeBox(event: RunEventOf<'box'>, mode: '2d' | '3d'): string {
  const { clamped, located } = event;
  const { min, max } = located.sourceVoxel;
  // Edges lie half a voxel outside the first and last voxel: print the voxels whose centres are inside.
  const range = (axis: number) => `${Math.ceil(min[axis])}–${Math.floor(max[axis])}`;
  const parts = [`box ${event.step + 1}`];
  if (mode === '3d') parts.push(`slices ${clamped.z1}–${clamped.z2 - 1}`);
  parts.push(`voxels i ${range(0)}, j ${range(1)}${mode === '3d' ? `, k ${range(2)}` : ''}`);
  const corners = located.patientCorners;
  if (corners) {
    const centre = [0, 1, 2].map(
      (axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length,
    );
    const size = [corners[1], corners[2], corners[4]].map((corner) =>
      edgeLength(corners[0], corner).toFixed(1),
    );
    parts.push(
      `centre ${patientPosition(centre)}`,
      `${(mode === '3d' ? size : size.slice(0, 2)).join(' x ')} mm`,
    );
  }
  if (event.sliceZeroOnly) parts.push('4 numbers in a 3D run: slice 0 only, as the reference does');
  return parts.join(' · ');
}

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

export function describeAnswers({ inference, reward, strict }: Answers): string {
  const show = (letter: string | null) => letter ?? 'none';
  if (inference === reward && reward === strict) return `answer ${show(inference)} by every rule`;
  return `answer by rule: inference ${show(inference)}, reward ${show(reward)}, strict ${show(strict)}`;
}

/** Special tokens are the interface between model and program, not words for a person. */
const markup = /<\|(?:box_start|box_end|im_end|endoftext)\|>|<\/?think>/g;

export class ReasoningPrinter {
  readonly #write: (text: string) => void;
  readonly #quiet: boolean;
  #mode: '2d' | '3d' = '2d';
  #lineOpen = false;

  constructor(write: (text: string) => void, quiet: boolean) {
    this.#write = write;
    this.#quiet = quiet;
  }

  print(event: RunEvent): void {
    switch (event.type) {
      case 'run-started':
        this.#mode = event.mode;
        break;
      case 'token': {
        const text = event.text.replace(markup, '');
        if (text === '') break;
        this.#write(text);
        this.#lineOpen = !text.endsWith('\n');
        break;
      }
      case 'box':
        this.#line(`  ▸ ${describeBox(event, this.#mode)}`);
        break;
      case 'crop':
        if (event.injected === 'random')
          this.#line('    a random crop was shown instead (preset random-crop)');
        if (event.injected === 'none') this.#line('    no crop was shown (preset no-injection)');
        break;
      case 'answer':
        this.#endLine();
        if (!this.#quiet) note(describeAnswers(event.answers));
        break;
      case 'run-finished': {
        this.#endLine();
        if (this.#quiet) break;
        const { timings } = event;
        const speed =
          timings.tokensPerSecond === null ? '' : `, ${timings.tokensPerSecond.toFixed(1)} tokens/s`;
        note(
          `${describeStop(event.stopReason)} · ${event.newTokens} tokens in ${formatSeconds(timings.totalMs)}${speed}`,
        );
        note(researchNotice);
        break;
      }
      case 'progress':
      case 'round-started':
      case 'round-finished':
        break;
      default:
        missingCase(event);
    }
  }

  #line(text: string): void {
    this.#endLine();
    this.#write(`${text}\n`);
  }

  #endLine(): void {
    if (this.#lineOpen) this.#write('\n');
    this.#lineOpen = false;
  }
}
