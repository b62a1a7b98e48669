/**
 * conversion.json: what an unfinished conversion has done so far. It is replaced atomically after every finished file,
 * so that a run that was killed at any moment goes on with the first file that is missing.
 */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { precisionSchema } from '../../src-contract/run-events.ts';
import { type ContainerFile, containerFileSchema } from './manifest.ts';
import { partSuffix } from './output-file.ts';

export const journalFileName = 'conversion.json';

const journalSchema = z.object({
  /** What the files belong to: a journal of anything else is worthless. */
  fingerprint: z.string(),
  precision: precisionSchema,
  converterRevision: z.number().int(),
  /** Every name this conversion may have written, finished or not. */
  planned: z.array(containerFileSchema.shape.name),
  /** Hashes of the checkpoint's own files. */
  source: z.array(containerFileSchema),
  /** Finished files of the container. */
  files: z.array(containerFileSchema),
});
export type JournalState = z.infer<typeof journalSchema>;

export class Journal {
  readonly #folder: string;
  #state: JournalState;

  private constructor(folder: string, state: JournalState) {
    this.#folder = folder;
    this.#state = state;
  }

  /** The journal in `folder`, or null when there is none that can be read. */
  static async read(folder: string): Promise<JournalState | null> {
    try {
      const text = await readFile(path.join(folder, journalFileName), 'utf8');
      return journalSchema.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }

  /**
   * Continues `found` where it is of the same conversion, else starts anew and removes what the other one wrote.
   */
  static async start(
    folder: string,
    identity: Pick<JournalState, 'fingerprint' | 'precision' | 'converterRevision' | 'planned'>,
    found: JournalState | null,
  ): Promise<Journal> {
    const same =
      found !== null &&
      found.fingerprint === identity.fingerprint &&
      found.precision === identity.precision &&
      found.converterRevision === identity.converterRevision;
    if (found !== null && !same) await removeFiles(folder, found.planned);
    const journal = new Journal(folder, {
      ...identity,
      source: same ? found.source : [],
      files: same ? await stillWhole(folder, found.files) : [],
    });
    await journal.#save();
    return journal;
  }

  get source(): readonly ContainerFile[] {
    return this.#state.source;
  }

  get files(): readonly ContainerFile[] {
    return this.#state.files;
  }

  finished(name: string): ContainerFile | undefined {
    return this.#state.files.find((file) => file.name === name);
  }

  async addSource(file: ContainerFile): Promise<void> {
    this.#state = { ...this.#state, source: [...this.#state.source, file] };
    await this.#save();
  }

  async addFile(file: ContainerFile): Promise<void> {
    this.#state = { ...this.#state, files: [...this.#state.files, file] };
    await this.#save();
  }

  async remove(): Promise<void> {
    await rm(path.join(this.#folder, journalFileName), { force: true });
  }

  async #save(): Promise<void> {
    const target = path.join(this.#folder, journalFileName);
    await writeFile(`${target}${partSuffix}`, JSON.stringify(this.#state), { flush: true });
    await rename(`${target}${partSuffix}`, target);
  }
}

/** Only files whose size is still what was recorded count as done. */
async function stillWhole(folder: string, files: readonly ContainerFile[]): Promise<ContainerFile[]> {
  const whole: ContainerFile[] = [];
  for (const file of files) {
    const info = await stat(path.join(folder, file.name)).catch(() => null);
    if (info?.isFile() && info.size === file.bytes) whole.push(file);
  }
  return whole;
}

async function removeFiles(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await rm(path.join(folder, name), { force: true });
    await rm(path.join(folder, `${name}${partSuffix}`), { force: true });
  }
}
