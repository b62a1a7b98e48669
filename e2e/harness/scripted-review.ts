/**
 * A review that writes one change after the other through the page, and knows what it was told is saved: for trials that
 * end it anywhere. At most one change is on its way at a time, as in the window itself.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';
import { applyEdits, type Edit, emptyReview, type Review } from '../../src-contract/review.ts';
import type { SourceBox } from '../../src-contract/source-box.ts';
import { seededRandom } from '../../src-main/engine/decode/random.ts';
import { call } from './call.ts';

const decisions = ['accept', 'reject', 'correct'] as const;

/** Without the clock, which this review does not run. */
const plain = ({ reading: _reading, ...rest }: Review) => rest;

export class ScriptedReview {
  readonly #random: () => number;
  readonly #steps: number;
  /** As the window was told that it is saved. */
  #saved: Review;
  /** As it will be when the change on its way is saved too; null where none is. */
  #onItsWay: Review | null = null;
  /** What undo brings back, as far as this round knows. */
  #before: Review[] = [];
  #over = false;
  #count = 0;
  acknowledged = 0;

  constructor(runId: string, readerId: string, steps: number, seed: number) {
    this.#random = seededRandom(seed);
    this.#steps = steps;
    this.#saved = emptyReview(runId, readerId);
  }

  /** Writes until `stop`. @throws what the change that failed failed with */
  async write(page: Page): Promise<void> {
    this.#over = false;
    // Another process may have the file now: what it would undo first, the script does not know.
    this.#before = [];
    while (!this.#over) {
      const undone = this.#random() < 0.15 ? this.#before.pop() : undefined;
      const edit = this.#nextEdit();
      this.#onItsWay = undone ?? applyEdits(this.#saved, [edit]);
      if (undone) await call(page, 'review.undo', {});
      else {
        await call(page, 'review.edit', { edits: [edit] });
        this.#before.push(this.#saved);
      }
      this.acknowledged++;
      this.#saved = this.#onItsWay;
      this.#onItsWay = null;
    }
  }

  /** After the change that is on its way. */
  stop(): void {
    this.#over = true;
  }

  /**
   * Compares what is there with what was acknowledged, and goes on from there.
   * @returns 'unheard': the change that was on its way is there, too
   */
  check(found: Review): 'as acknowledged' | 'unheard' | 'lost' {
    const is = (wanted: Review | null): boolean =>
      wanted !== null && isDeepStrictEqual(plain(found), plain(wanted));
    const outcome = is(this.#saved) ? 'as acknowledged' : is(this.#onItsWay) ? 'unheard' : 'lost';
    this.#saved = found;
    this.#onItsWay = null;
    return outcome;
  }

  #nextEdit(): Edit {
    const n = ++this.#count;
    const { runId, readerId, verdicts, boxes, added, sentences, answer, comment } = this.#saved;
    const of = { runId, readerId };
    const pick = (count: number): number => Math.floor(this.#random() * count);
    const step = pick(this.#steps);
    const low = this.#random() * 5;
    const box: SourceBox = { min: [low, 0, 0], max: [low + 9, 8, 4] };
    const words = `change ${n}`;
    switch (pick(6)) {
      case 0: {
        const after = { decision: decisions[pick(3)] ?? 'accept', reasons: [], comment: words };
        return { kind: 'verdict', ...of, step, before: verdicts[step] ?? null, after };
      }
      case 1:
        return { kind: 'box', ...of, step, before: boxes[step] ?? null, after: box };
      case 2:
        return { kind: 'sentence', ...of, part: step, before: sentences[step] ?? null, after: words };
      case 3:
        return { kind: 'answer', ...of, before: answer, after: { letter: null, text: words } };
      case 4: {
        const boxId = `box-${step}`;
        const after = { box, label: words, part: null };
        return { kind: 'added', ...of, boxId, before: added[boxId] ?? null, after };
      }
      default:
        return { kind: 'comment', ...of, before: comment === '' ? null : comment, after: words };
    }
  }
}
