/** Everything over a pane's picture, and the DOM attributes by which tests and screen readers know what is shown. */
import type { ErrorPayload } from '../../../src-contract/errors.ts';
import { useViewer } from '../../state/viewer-store.ts';
import type { Pane } from '../pane.ts';
import { listenToPointer } from '../pointer.ts';
import type { Viewer } from '../viewer.ts';
import { EditLayer } from './edit-layer.ts';
import { Furniture, type FurnitureElements } from './furniture.ts';
import { LinesLayer } from './lines-layer.ts';
import { MeasureLayer } from './measure-layer.ts';
import { OverlayLayer } from './overlay-layer.ts';
import { removeAttribute, setAttributes, setText } from './svg.ts';

export interface PaneElements extends FurnitureElements {
  readonly frame: HTMLElement;
  readonly picture: HTMLDivElement;
  readonly overlay: SVGSVGElement;
  readonly slider: HTMLInputElement;
  readonly note: HTMLElement;
  readonly problem: HTMLElement;
}

export class PaneLayers {
  readonly lines: LinesLayer;
  readonly boxes: OverlayLayer;
  readonly edits: EditLayer;
  readonly measures: MeasureLayer;
  readonly furniture: Furniture;
  private readonly stop: (() => void)[];
  private note = '';

  constructor(
    private readonly pane: Pane,
    private readonly elements: PaneElements,
    viewer: Viewer,
  ) {
    const { overlay, slider } = elements;
    this.lines = new LinesLayer(overlay, pane, () => viewer.panes);
    this.boxes = new OverlayLayer(overlay, pane);
    this.edits = new EditLayer(overlay, pane);
    this.measures = new MeasureLayer(overlay, pane);
    this.furniture = new Furniture(overlay, pane, elements);
    const onSlide = () => pane.setSlice(Number(slider.value));
    slider.addEventListener('input', onSlide);
    this.stop = [
      pane.listen((event) => {
        if (event === 'drawn') this.update();
        if (event === 'wanted') this.showWanted();
        if (event === 'problem') this.setProblem(pane.problem);
      }),
      listenToPointer(elements.frame, pane, this, viewer),
      () => slider.removeEventListener('input', onSlide),
    ];
  }

  private update(): void {
    this.lines.update();
    this.boxes.update();
    this.edits.update();
    this.measures.update();
    this.furniture.update();
    const { frame } = this.elements;
    const { onScreen } = this.pane;
    if (!onScreen) {
      for (const name of ['data-slice', 'data-view', 'data-axis', 'data-series'])
        removeAttribute(frame, name);
      return;
    }
    setAttributes(frame, {
      'data-slice': onScreen.slice,
      'data-view': onScreen.view,
      'data-axis': onScreen.orientation.axis,
      'data-series': onScreen.source.ref.seriesId,
    });
  }

  private showWanted(): void {
    const { slider } = this.elements;
    const { slices, wanted } = this.pane;
    slider.max = String(Math.max(0, slices - 1));
    slider.value = String(wanted);
    slider.hidden = slices < 2;
    slider.setAttribute('aria-valuetext', slices > 0 ? `Slice ${wanted + 1} of ${slices}` : '');
  }

  setBusy(busy: boolean): void {
    setAttributes(this.elements.frame, { 'aria-busy': busy ? 'true' : 'false' });
    if (busy) this.setProblem(null);
  }

  /** Something about the pane that a reader should know, such as planes that can't be shown. */
  setNote(note: string): void {
    this.note = note;
    this.showNote();
  }

  setProblem(problem: ErrorPayload | null): void {
    const { problem: element } = this.elements;
    element.hidden = problem === null;
    setText(element, problem ? [problem.message, problem.remedy].filter(Boolean).join(' ') : '');
  }

  private showNote(): void {
    this.elements.note.hidden = this.note === '';
    setText(this.elements.note, this.note);
  }

  activate(): void {
    useViewer.getState().setActive(this.pane.number);
  }

  dispose(): void {
    for (const stop of this.stop) stop();
    this.lines.dispose();
    this.boxes.dispose();
    this.edits.dispose();
    this.measures.dispose();
    this.furniture.dispose();
  }
}
