/** Access to a checkpoint's files that never leaves the folder a person picked. */
import { constants, type Stats } from 'node:fs';
import { open, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';

/** No JSON file of a checkpoint is larger; a tokenizer.json of 150,000 entries has 11 MB. */
const maxJsonBytes = 256 * 1024 * 1024;

export class CheckpointFolder {
  /** As given by the person: for messages. */
  readonly given: string;
  /** Folder names that files may really lie in. */
  readonly #roots: readonly string[];

  private constructor(given: string, roots: readonly string[]) {
    this.given = given;
    this.#roots = roots;
  }

  /** @throws ReadroomError 'file-not-found' when there is no such folder */
  static async open(folder: string): Promise<CheckpointFolder> {
    const info = await stat(folder).catch(() => null);
    if (info === null || !info.isDirectory()) {
      throw new ReadroomError('file-not-found', `There is no model folder ${folder}`, {
        file: folder,
        remedy: 'Give the folder that holds config.json and the .safetensors files.',
      });
    }
    const real = await realpath(folder);
    const roots = [real];
    // The Hugging Face cache keeps models--X/snapshots/REVISION/file as links to models--X/blobs/HASH.
    const snapshots = path.dirname(real);
    const repository = path.dirname(snapshots);
    if (path.basename(snapshots) === 'snapshots' && path.basename(repository).startsWith('models--')) {
      roots.push(path.join(repository, 'blobs'));
    }
    return new CheckpointFolder(folder, roots);
  }

  get name(): string {
    return path.basename(path.resolve(this.given));
  }

  /** Size and times of a file of the folder; null when there is none. */
  async stat(name: string): Promise<Stats | null> {
    const real = await this.#resolve(name);
    return real === null ? null : stat(real);
  }

  /**
   * The real path of a plain file directly in the folder.
   *
   * @throws ReadroomError 'checkpoint-missing-file' when it isn't there, 'checkpoint-malformed' when it leads elsewhere
   */
  async path(name: string): Promise<string> {
    const real = await this.#resolve(name);
    if (real !== null) return real;
    throw new ReadroomError('checkpoint-missing-file', `${name} is missing in ${this.given}`, {
      file: path.join(this.given, name),
      remedy: 'Download the checkpoint again, with all of its files.',
    });
  }

  async open(name: string) {
    // O_NONBLOCK: opening a named pipe must not wait for someone to write into it.
    return open(await this.path(name), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  }

  /** @throws ReadroomError as `path`, or 'file-too-large' */
  async readBytes(name: string): Promise<Buffer> {
    const real = await this.path(name);
    const { size } = await stat(real);
    if (size > maxJsonBytes) {
      throw new ReadroomError('file-too-large', `${name} has ${size} bytes; that is no ${name}`, {
        file: real,
      });
    }
    return readFile(real);
  }

  /** @throws ReadroomError as `readBytes`, or 'checkpoint-malformed' when it is no JSON */
  async readJson(name: string): Promise<unknown> {
    const bytes = await this.readBytes(name);
    try {
      return JSON.parse(bytes.toString('utf8')) as unknown;
    } catch (error) {
      throw new ReadroomError('checkpoint-malformed', `${name} is no JSON`, {
        file: path.join(this.given, name),
        detail: error instanceof Error ? error.message : String(error),
        remedy: 'Download the file again.',
      });
    }
  }

  async #resolve(name: string): Promise<string | null> {
    const leaves = (what: string) =>
      new ReadroomError('checkpoint-malformed', `'${name}' ${what} ${this.given}`, {
        file: name,
        remedy: 'Copy the real file into the model folder. Files outside it are never read.',
      });
    // A name, not a path: the checkpoints of this architecture keep all files side by side.
    if (name === '' || name === '.' || name === '..' || /[/\\\0:]/.test(name))
      throw leaves('would leave the folder');
    const real = await realpath(path.join(this.given, name)).catch(() => null);
    if (real === null) return null;
    if (!this.#roots.includes(path.dirname(real))) throw leaves('is a link out of');
    if (!(await stat(real)).isFile()) throw leaves('is no plain file of');
    return real;
  }
}
