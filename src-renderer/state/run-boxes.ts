/**
 * The boxes of one run on their way to the viewer. A box needs the run's affine chain, which the main side knows once the
 * run has begun; boxes that come before it is here wait for it.
 */
import type { Ask } from '../../src-contract/channels.ts';
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { RunEventOf } from '../../src-contract/run-events.ts';
import { call } from './bridge.ts';
import { type OverlayBox, useOverlay } from './overlay.ts';
import { useUi } from './ui-store.ts';

/** Colours of the step palette (styles/tokens.css). */
export const stepColours = 8;

export const stepColour = (step: number): number => step % stepColours;

export class RunBoxes {
  readonly #runId: string;
  readonly #ask: Ask;
  readonly #boxes: OverlayBox[] = [];
  readonly #waiting: ((chain: AffineChain) => void)[] = [];
  #chain: AffineChain | null;
  #shown = true;

  /** `chain` is known of a run that was made before. */
  constructor(runId: string, ask: Ask, chain: AffineChain | null = null) {
    this.#runId = runId;
    this.#ask = ask;
    this.#chain = chain;
  }

  get all(): readonly OverlayBox[] {
    return this.#boxes;
  }

  /** Fetches the chain; boxes that wait for it are drawn then. */
  async findChain(): Promise<void> {
    this.#chain = await this.#fetchChain();
    if (this.#chain) for (const place of this.#waiting.splice(0)) place(this.#chain);
  }

  add(event: RunEventOf<'box'>, mode: '2d' | '3d'): void {
    const place = (chain: AffineChain): void => {
      const box = this.#boxOf(event, mode, chain);
      this.#boxes.push(box);
      if (!this.#shown) return;
      const overlay = useOverlay.getState();
      overlay.add(box);
      if (useUi.getState().following) overlay.show(box.id);
    };
    if (this.#chain) place(this.#chain);
    else this.#waiting.push(place);
  }

  /** The boxes of a run that was made before: they are shown, and the viewer stays where it is. */
  load(events: readonly RunEventOf<'box'>[], mode: '2d' | '3d'): void {
    const chain = this.#chain;
    if (!chain) return;
    this.#boxes.push(...events.map((event) => this.#boxOf(event, mode, chain)));
    this.show();
  }

  #boxOf(event: RunEventOf<'box'>, mode: '2d' | '3d', chain: AffineChain): OverlayBox {
    const { studyId, seriesId, target } = this.#ask;
    return {
      id: this.#idOf(event.step),
      runId: this.#runId,
      studyId,
      seriesId,
      step: event.step,
      mode,
      slice: target.kind === 'slice' ? target.slice : null,
      clamped: event.clamped,
      raw: event.raw,
      located: event.located,
      chain,
      colour: stepColour(event.step),
    };
  }

  /** Puts the boxes over the images; with `count`, only the first ones (a replay). */
  show(count = Number.POSITIVE_INFINITY): void {
    this.#shown = true;
    const { add, removeRun } = useOverlay.getState();
    removeRun(this.#runId);
    for (const box of this.#boxes.slice(0, count)) add(box);
  }

  hide(): void {
    this.#shown = false;
    const { removeRun, active, setActive } = useOverlay.getState();
    removeRun(this.#runId);
    if (active?.startsWith(`${this.#runId}:`)) setActive(null);
  }

  light(step: number | null): void {
    useOverlay.getState().setActive(step === null ? null : this.#idOf(step));
  }

  goTo(step: number): void {
    useOverlay.getState().show(this.#idOf(step));
  }

  #idOf(step: number): string {
    return `${this.#runId}:${step}`;
  }

  /** The trace has the run's own chain; the model view has the same one, should the trace not be there. */
  async #fetchChain(): Promise<AffineChain | null> {
    try {
      return (await call('run.trace', { runId: this.#runId })).chain;
    } catch {
      const { studyId, seriesId, target } = this.#ask;
      return call('study.modelView', { studyId, seriesId, target }).then(
        ({ chain }) => chain,
        () => null,
      );
    }
  }
}
