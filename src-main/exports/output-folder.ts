/**
 * The folder an export is written into: everything goes into a temporary folder beside it, which takes its place when
 * the export is whole. A reader sees nothing, or all of it.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  access,
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import { writeError } from '../trace/atomic-write.ts';

/** A text or binary file that is written bit by bit. */
export interface OpenFile {
  write(content: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export class OutputFolder {
  /** Where it is written now. */
  readonly path: string;
  readonly #target: string;
  #files: { count: number };
  readonly #open: Set<FileHandle>;

  private constructor(path: string, target: string, files: { count: number }, openFiles: Set<FileHandle>) {
    this.path = path;
    this.#target = target;
    this.#files = files;
    this.#open = openFiles;
  }

  /** @throws ReadroomError 'file-unreadable' where nothing can be written beside `target` */
  static async create(target: string): Promise<OutputFolder> {
    const final = resolve(target);
    const temporary = join(dirname(final), `.${basename(final)}.${randomUUID()}.tmp`);
    try {
      await mkdir(dirname(final), { recursive: true });
      await mkdir(temporary);
    } catch (thrown) {
      throw writeError(thrown, final);
    }
    return new OutputFolder(temporary, final, { count: 0 }, new Set());
  }

  get files(): number {
    return this.#files.count;
  }

  /** A folder inside, sharing count and fate. */
  async inside(name: string): Promise<OutputFolder> {
    const path = join(this.path, name);
    await guarded(path, () => mkdir(path, { recursive: true }));
    return new OutputFolder(path, join(this.#target, name), this.#files, this.#open);
  }

  has(name: string): Promise<boolean> {
    return access(join(this.path, name)).then(
      () => true,
      () => false,
    );
  }

  /** `name` may hold forward slashes; folders are made. */
  async write(name: string, content: string | Uint8Array): Promise<void> {
    const file = await this.openFile(name);
    try {
      await file.write(content);
    } finally {
      await file.close();
    }
  }

  async openFile(name: string): Promise<OpenFile> {
    const path = await this.reserve(name);
    const handle = await guarded(path, () => open(path, 'wx'));
    this.#open.add(handle);
    let waiting = '';
    const flush = async (): Promise<void> => {
      const text = waiting;
      waiting = '';
      if (text) await guarded(path, () => handle.writeFile(text));
    };
    return {
      write: async (content) => {
        if (typeof content === 'string') {
          waiting += content;
          if (waiting.length > 1 << 16) await flush();
          return;
        }
        await flush();
        await guarded(path, () => handle.writeFile(content));
      },
      close: async () => {
        if (!this.#open.delete(handle)) return;
        try {
          await flush();
        } finally {
          await handle.close();
        }
      },
    };
  }

  /** The path of a file that somebody else writes (DuckDB, a stream); its folder is made and it is counted. */
  async reserve(name: string): Promise<string> {
    const path = join(this.path, ...name.split('/'));
    await guarded(path, () => mkdir(dirname(path), { recursive: true }));
    this.#files.count++;
    return path;
  }

  /** Appends a file of this folder, which must be closed, to one that is open. */
  async copyInto(name: string, file: OpenFile): Promise<void> {
    for await (const chunk of createReadStream(join(this.path, name))) await file.write(chunk as Uint8Array);
  }

  /** Takes a file that was written for the time being only out again. */
  async remove(name: string): Promise<void> {
    await this.removeQuietly(name);
    this.#files.count--;
  }

  /** The same for one that was never counted. */
  async removeQuietly(name: string): Promise<void> {
    await rm(join(this.path, ...name.split('/')), { recursive: true, force: true });
  }

  /**
   * Puts everything in its place. Where the target is there already, its contents stay, and each entry of the export is
   * added; an entry of the same name refuses the export unless `replace`.
   */
  async commit(replace: boolean): Promise<void> {
    const target = this.#target;
    await guarded(target, async () => {
      await flushAll(this.path);
      // A format that every run was left out of leaves no empty folder.
      for (const entry of await readdir(this.path)) {
        await rmdir(join(this.path, entry)).catch(() => undefined);
      }
      const found = await stat(target).catch(() => null);
      if (!found) return rename(this.path, target);
      for (const entry of await readdir(this.path)) {
        const place = join(target, entry);
        if (replace) await putAside(place, join(this.path, entry));
        else await rename(join(this.path, entry), place);
      }
      await rmdir(this.path);
    });
  }

  /** Removes all of it, however far it came. */
  async discard(): Promise<void> {
    for (const handle of this.#open) await handle.close().catch(() => undefined);
    this.#open.clear();
    await rm(this.path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Has the disk hold every file before any is seen under its name. All at the end, several at a time: one by one as they
 * are written takes ten times as long.
 */
async function flushAll(folder: string): Promise<void> {
  const waiting = new Set<Promise<void>>();
  for await (const entry of await opendir(folder, { recursive: true })) {
    if (!entry.isFile()) continue;
    const flushed = flush(join(entry.parentPath, entry.name)).finally(() => waiting.delete(flushed));
    // Told below; until then it must not count as unheard.
    flushed.catch(() => undefined);
    waiting.add(flushed);
    if (waiting.size >= 16) await Promise.race(waiting);
  }
  await Promise.all(waiting);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The old entry goes only when the new one is in its place. */
async function putAside(place: string, fresh: string): Promise<void> {
  const old = `${place}.${randomUUID()}.old`;
  const was = await rename(place, old).then(
    () => true,
    () => false,
  );
  try {
    await rename(fresh, place);
  } catch (thrown) {
    if (was) await rename(old, place);
    throw thrown;
  }
  if (was) await rm(old, { recursive: true, force: true });
}

/** @throws ReadroomError 'input-invalid' where an entry of the export is there already */
export async function refuseTaken(target: string, entries: readonly string[]): Promise<void> {
  const there = new Set(await readdir(target).catch(() => [] as string[]));
  const taken = entries.filter((entry) => there.has(entry));
  if (taken.length === 0) return;
  throw new ReadroomError('input-invalid', `${target} holds ${taken.join(', ')} already.`, {
    file: target,
    remedy: 'Choose another folder, or have the old export replaced.',
  });
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw writeError(thrown, path);
  }
}
