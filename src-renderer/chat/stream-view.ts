/**
 * Draws one run's text straight into the DOM, at most once per frame, by adding to what is there: neither React nor the
 * viewer hears of a token. React owns the two containers and never looks inside.
 */
import type { Preset, RunEvent, RunEventOf } from '../../src-contract/run-events.ts';
import { stepColour } from '../state/run-boxes.ts';
import type { RunLog } from '../state/run-log.ts';
import { bandOf, percent } from './confidence.ts';
import { CropImages, stripOf } from './crop-images.ts';
import { type Piece, ReasoningText, type Section } from './reasoning-text.ts';
import { chipLabel, chipTitle, cropNote } from './wording.ts';

export interface StreamTargets {
  readonly thinking: HTMLElement;
  readonly answer: HTMLElement;
}

export interface StreamOptions {
  /** Every token in an element of its own, tinted by its probability. */
  readonly confidence: boolean;
  /** After something was drawn. */
  readonly onDrawn: () => void;
}

export class StreamView {
  readonly #targets: StreamTargets;
  readonly #options: StreamOptions;
  readonly #crops = new CropImages();
  readonly #chips: HTMLElement[] = [];
  #text = new ReasoningText();
  #section: Section = 'answer';
  /** Where plain text is added to; null when something else came after it. */
  #run: Text | null = null;
  #openBox: HTMLElement | null = null;
  #mode: '2d' | '3d' = '2d';
  #preset: Preset = 'grounded';

  constructor(targets: StreamTargets, options: StreamOptions) {
    this.#targets = targets;
    this.#options = options;
  }

  /** Draws what is in the log and what will come. Returns what stops it. */
  follow(log: RunLog): () => void {
    let drawn = 0;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      const { events } = log;
      for (; drawn < events.length; drawn++) this.draw(events[drawn]);
      this.#options.onDrawn();
    };
    draw();
    const stop = log.subscribe(() => {
      frame ||= requestAnimationFrame(draw);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }

  draw(event: RunEvent): void {
    if (event.type === 'run-started') {
      this.#mode = event.mode;
      this.#preset = event.preset;
    }
    for (const piece of this.#text.push(event)) this.#put(piece, event);
  }

  clear(): void {
    this.#targets.thinking.replaceChildren();
    this.#targets.answer.replaceChildren();
    this.#chips.length = 0;
    this.#text = new ReasoningText();
    this.#section = 'answer';
    this.#run = null;
    this.#openBox = null;
  }

  dispose(): void {
    this.clear();
    this.#crops.release();
  }

  #put(piece: Piece, event: RunEvent): void {
    switch (piece.kind) {
      case 'text':
        this.#addText(piece.text, piece.logprob);
        break;
      case 'section':
        this.#section = piece.section;
        this.#run = null;
        break;
      case 'reclaim':
        this.#targets.thinking.append(...this.#targets.answer.childNodes);
        this.#run = null;
        break;
      case 'box-open':
        this.#openBox = element('span', 'chip chip-open', 'box …');
        this.#add(this.#openBox);
        break;
      case 'box':
        if (event.type === 'box') this.#closeBox(event);
        break;
      case 'box-text': {
        const text = element('span', 'box-text', piece.text);
        text.title = 'The model began a box here that is none.';
        this.#openBox?.replaceWith(text);
        this.#openBox = null;
        break;
      }
      case 'crop':
        if (event.type === 'crop') this.#addCrop(event);
        break;
    }
  }

  #addText(text: string, logprob: number): void {
    if (this.#options.confidence) {
      // The space before a word is part of its token, but no part of what a reader would underline.
      const word = text.trimStart();
      if (word.length < text.length)
        this.#add(document.createTextNode(text.slice(0, text.length - word.length)));
      if (word === '') return;
      const token = element('span', `token token-${bandOf(logprob).name}`, word);
      token.title = percent(logprob);
      this.#add(token);
    } else if (this.#run) this.#run.appendData(text);
    else {
      const run = document.createTextNode(text);
      this.#add(run);
      this.#run = run;
    }
  }

  #closeBox(box: RunEventOf<'box'>): void {
    const chip = element('button', `chip step-${stepColour(box.step)}`, chipLabel(box, this.#mode));
    chip.type = 'button';
    chip.title = chipTitle(box, this.#mode);
    chip.dataset.testid = 'step-chip';
    chip.dataset.step = String(box.step);
    // One tab stop for all boxes of an answer; arrow keys go from one to the next.
    chip.tabIndex = box.step === 0 ? 0 : -1;
    if (this.#openBox) this.#openBox.replaceWith(chip);
    else this.#add(chip);
    this.#openBox = null;
    this.#chips[box.step] = chip;
  }

  #addCrop(crop: RunEventOf<'crop'>): void {
    const strip = element('span', `strip step-${stepColour(crop.step)}`);
    strip.dataset.step = String(crop.step);
    for (const image of stripOf(crop.images)) {
      const picture = document.createElement('img');
      picture.src = this.#crops.url(image);
      picture.alt = `What the model cut out, box ${crop.step + 1}, its slice ${image.slice + 1}`;
      picture.className = 'crop';
      picture.width = image.width;
      picture.height = image.height;
      strip.append(picture);
    }
    const notes = [
      stripOf(crop.images).length < crop.images.length ? `${crop.images.length} slices` : null,
      cropNote(crop, this.#preset),
    ].filter((note) => note !== null);
    if (notes.length > 0) strip.append(element('span', 'strip-note', notes.join(' · ')));
    this.#chips[crop.step]?.after(strip);
    this.#run = null;
  }

  #add(node: Node): void {
    this.#targets[this.#section].append(node);
    this.#run = null;
  }
}

function element<K extends 'span' | 'button'>(
  name: K,
  className: string,
  text = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
