/**
 * Reads a run's event stream as a person reads it: plain text in two sections (reasoning, answer), boxes as chips.
 * Special tokens are the interface between model and program and disappear; a tag may be spread over several tokens, so
 * that what could still become one is held back until it is certain.
 */
import type { RunEvent } from '../../src-contract/run-events.ts';

export type Section = 'thinking' | 'answer';

export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly logprob: number }
  | { readonly kind: 'section'; readonly section: Section }
  /** The reasoning was closed without having been opened: all text so far belongs to it. */
  | { readonly kind: 'reclaim' }
  /** The model has begun to write a box. */
  | { readonly kind: 'box-open' }
  | { readonly kind: 'box'; readonly step: number }
  /** The box that was begun came to nothing: what the model wrote instead. */
  | { readonly kind: 'box-text'; readonly text: string }
  | { readonly kind: 'crop'; readonly step: number };

const tag = /<\|[a-z_]{1,40}\|>|<\/?think>/i;
/** The end of a text that the next token could complete to a tag. */
const tagBeginning = /<(?:\|[a-z_]{0,40}\|?|\/?(?:t(?:h(?:i(?:nk?)?)?)?)?)?$/i;

interface Fragment {
  readonly text: string;
  readonly logprob: number;
}

export class ReasoningText {
  #pending: Fragment[] = [];
  /** What stands in the box that is being written; null outside of one. */
  #box: string | null = null;
  #section: Section = 'answer';
  /** Nothing but white space so far in this section, or since the last crop: a reader needs no blank lines there. */
  #blank = true;

  push(event: RunEvent): Piece[] {
    switch (event.type) {
      case 'token':
        if (event.text !== '') this.#pending.push({ text: event.text, logprob: event.logprob });
        return this.#drain(false);
      case 'box': {
        const pieces = this.#drain(true);
        if (this.#box === null) pieces.push({ kind: 'box-open' });
        this.#box = null;
        this.#blank = false;
        pieces.push({ kind: 'box', step: event.step });
        return pieces;
      }
      case 'crop':
        // Pictures stand on a line of their own.
        this.#blank = true;
        return [{ kind: 'crop', step: event.step }];
      case 'round-finished':
      case 'run-finished':
        return [...this.#drain(true), ...this.#giveUpBox()];
      default:
        return [];
    }
  }

  /** A run that broke off without an end. */
  end(): Piece[] {
    return [...this.#drain(true), ...this.#giveUpBox()];
  }

  #drain(final: boolean): Piece[] {
    const pieces: Piece[] = [];
    for (;;) {
      const joined = this.#pending.map(({ text }) => text).join('');
      const match = tag.exec(joined);
      if (!match) {
        const held = final ? 0 : (tagBeginning.exec(joined)?.[0].length ?? 0);
        this.#text(joined.length - held, pieces);
        return pieces;
      }
      this.#text(match.index, pieces);
      this.#take(match[0].length);
      this.#tag(match[0].toLowerCase(), pieces);
    }
  }

  #tag(name: string, pieces: Piece[]): void {
    if (name === '<think>') this.#enter('thinking', pieces);
    else if (name === '</think>') {
      if (this.#section === 'answer') pieces.push({ kind: 'reclaim' });
      this.#enter('answer', pieces);
    } else if (name === '<|box_start|>') {
      pieces.push(...this.#giveUpBox(), { kind: 'box-open' });
      this.#box = '';
    }
    // <|box_end|>: the loop says next whether it was a box. Every other special token has no meaning for a reader.
  }

  #enter(section: Section, pieces: Piece[]): void {
    pieces.push(...this.#giveUpBox());
    this.#section = section;
    this.#blank = true;
    pieces.push({ kind: 'section', section });
  }

  /** Passes on the first `count` characters of what is pending. */
  #text(count: number, pieces: Piece[]): void {
    for (const { text, logprob } of this.#take(count)) {
      if (this.#box !== null) {
        this.#box += text;
        continue;
      }
      const shown = this.#blank ? text.trimStart() : text;
      if (shown === '') continue;
      this.#blank = false;
      pieces.push({ kind: 'text', text: shown, logprob });
    }
  }

  #take(count: number): Fragment[] {
    const taken: Fragment[] = [];
    let left = count;
    while (left > 0 && this.#pending.length > 0) {
      const [first] = this.#pending;
      if (first.text.length <= left) {
        taken.push(first);
        this.#pending.shift();
        left -= first.text.length;
      } else {
        taken.push({ ...first, text: first.text.slice(0, left) });
        this.#pending[0] = { ...first, text: first.text.slice(left) };
        left = 0;
      }
    }
    return taken;
  }

  #giveUpBox(): Piece[] {
    if (this.#box === null) return [];
    const text = this.#box;
    this.#box = null;
    this.#blank = false;
    return [{ kind: 'box-text', text }];
  }
}
