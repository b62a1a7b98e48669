/** Studies that were opened before, newest first. The window sees ids and titles; paths stay here. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { Recent } from '../../../src-contract/channels.ts';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { JsonStore } from '../json-store.ts';
import type { StudySource } from './studies.ts';

const kept = 12;

const storedSchema = z.array(
  z.object({
    id: z.string(),
    title: z.string(),
    openedAt: z.iso.datetime(),
    paths: z.array(z.string()).min(1),
  }),
);

export class RecentStudies {
  readonly #store: JsonStore<typeof storedSchema>;

  constructor(file: string) {
    this.#store = new JsonStore(file, storedSchema, []);
  }

  /** Missing ones are marked rather than dropped: the disk may only be away. */
  list(): Recent[] {
    return this.#store.value.map(({ id, title, openedAt, paths }) => ({
      id,
      title,
      openedAt,
      missing: !paths.every((path) => existsSync(path)),
    }));
  }

  async add({ paths }: StudySource, title: string): Promise<void> {
    const id = createHash('sha256').update(paths.join('\0')).digest('hex').slice(0, 16);
    const entry = { id, title, openedAt: new Date().toISOString(), paths: [...paths] };
    const others = this.#store.value.filter((one) => one.id !== id);
    await this.#store.set([entry, ...others].slice(0, kept));
  }

  async clear(): Promise<void> {
    await this.#store.set([]);
  }

  source(recentId: string): StudySource {
    const found = this.#store.value.find(({ id }) => id === recentId);
    if (found) return { paths: found.paths, title: found.title };
    throw new ReadroomError('input-invalid', 'There is no such study in the list.', { field: 'recentId' });
  }
}
