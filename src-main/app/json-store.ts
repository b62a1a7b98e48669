/** A small file of settings: checked when read, whole or not there when written, defaults where it is damaged. */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { writeFileAtomically } from '../trace/atomic-write.ts';

export class JsonStore<S extends z.ZodType> {
  readonly #file: string;
  readonly #schema: S;
  #value: z.output<S>;
  #writing: Promise<void> = Promise.resolve();

  /** @param fallback what holds until something is stored, and when the file can't be understood */
  constructor(file: string, schema: S, fallback: z.output<S>) {
    this.#file = file;
    this.#schema = schema;
    this.#value = fallback;
    try {
      this.#value = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      // Not there yet, or damaged: settings are not worth refusing to start over.
    }
  }

  get value(): z.output<S> {
    return this.#value;
  }

  /** Holds at once; written in the background, one after the other. A failure is told to the caller. */
  async set(value: z.input<S>): Promise<void> {
    this.#value = this.#schema.parse(value);
    const text = `${JSON.stringify(this.#value, null, 2)}\n`;
    this.#writing = this.#writing.catch(() => undefined).then(() => writeFileAtomically(this.#file, text));
    await this.#writing;
  }

  /** Everything that was set is on the disk. */
  async flush(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }
}
