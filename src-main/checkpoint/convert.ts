/** Converts a Hugging Face checkpoint to an ONNX container: streamed, resumable, whole or not there. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { throwIfCancelled } from './cancel.ts';
import { type ConversionPlan, planConversion, refuseForeignFolder } from './conversion-plan.ts';
import { Journal, journalFileName } from './journal.ts';
import {
  type ContainerFile,
  containerFormatVersion,
  converterRevision,
  type Manifest,
  manifestFileName,
  manifestSchema,
} from './manifest.ts';
import { diskError, diskFull, partSuffix, type Sink, writeOutputFile } from './output-file.ts';
import { verifyContainer } from './verify.ts';
import type { DataFile } from './weights/data-plan.ts';
import { encodeJob } from './weights/encode-rows.ts';

export interface ConversionProgress {
  /** hash: reading the checkpoint for its sha256; write: making the container's files. */
  readonly phase: 'hash' | 'write';
  /** Over both phases, a hashed byte as a part of a written one; what an earlier, interrupted run did counts as done. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** The file being read or written, without its folder. */
  readonly file: string;
}

/**
 * What hashing a byte counts in the progress, writing one counting 1: the 16.6 GB of a 7B are hashed in 20 s, and its
 * 5.4 GB of int4 take minutes.
 */
const hashShare = 1 / 20;

export interface ConversionOptions {
  /** The checkpoint folder. */
  readonly source: string;
  /** A new or empty folder, or one where an earlier run was interrupted. */
  readonly out: string;
  readonly precision: Precision;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ConversionProgress) => void;
}

/**
 * Does what is still missing of the conversion and returns the manifest. Calling it on a finished container of the same
 * checkpoint returns at once. The thread stays free between chunks of about a million weights.
 *
 * @throws ReadroomError: what is wrong with the checkpoint (see `planConversion`), 'input-invalid' when `out` holds
 *   something else, 'disk-full', 'cancelled'. After the last two, the same call goes on where this one stopped.
 */
export async function convertCheckpoint(options: ConversionOptions): Promise<Manifest> {
  const plan = await planConversion(options.source, options.precision);
  try {
    return await new Conversion(plan, options).run();
  } finally {
    await plan.tensors.close();
  }
}

class Conversion {
  readonly #plan: ConversionPlan;
  readonly #options: ConversionOptions;
  readonly #totalBytes: number;
  #done = 0;

  constructor(plan: ConversionPlan, options: ConversionOptions) {
    this.#plan = plan;
    this.#options = options;
    const hashed = sum(plan.tensorFiles) + sum(plan.companions);
    this.#totalBytes = Math.round(hashShare * hashed) + sum(plan.companions) + sum(this.#outputs());
  }

  async run(): Promise<Manifest> {
    const { out, signal } = this.#options;
    throwIfCancelled(signal);
    await mkdir(out, { recursive: true }).catch((error: unknown) => {
      throw diskError(error, out);
    });
    const done = await this.#finishedBefore();
    if (done !== null) return done;
    const journal = await this.#startJournal();
    await this.#checkSpace(journal);
    const source = await this.#hashSource(journal);
    await this.#writeFiles(journal);
    const manifest = this.#manifest(source, journal.files);
    const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
    await writeOutputFile(out, manifestFileName, (sink) => sink.write(text));
    await journal.remove();
    return manifest;
  }

  /** The manifest, where `out` already is the container of this very conversion. */
  async #finishedBefore(): Promise<Manifest | null> {
    const { out, precision } = this.#options;
    if (path.resolve(out) === path.resolve(this.#options.source)) refuseForeignFolder(out, 'config.json');
    if (!(await readdir(out)).includes(manifestFileName)) return null;
    const manifest = await verifyContainer(out);
    const same =
      manifest.source.fingerprint === this.#plan.fingerprint &&
      manifest.precision === precision &&
      manifest.converterRevision === converterRevision;
    if (same) return manifest;
    throw new ReadroomError(
      'input-invalid',
      `${out} already holds a container of another checkpoint or precision`,
      {
        file: out,
        remedy: 'Choose another folder, or delete this one first.',
      },
    );
  }

  async #startJournal(): Promise<Journal> {
    const { out, precision } = this.#options;
    const entries = await readdir(out);
    const found = await Journal.read(out);
    const ours = [journalFileName, `${journalFileName}${partSuffix}`];
    const foreign = entries.find((entry) => !ours.includes(entry));
    if (found === null && foreign !== undefined) refuseForeignFolder(out, foreign);
    const planned = [...this.#outputs(), ...this.#plan.companions].map(({ name }) => name);
    return Journal.start(
      out,
      { fingerprint: this.#plan.fingerprint, precision, converterRevision, planned },
      found,
    );
  }

  /** Better now than after ten minutes. */
  async #checkSpace(journal: Journal): Promise<void> {
    const { out } = this.#options;
    const needed = sum(this.#outputs()) + sum(this.#plan.companions) - sum(journal.files);
    const { bavail, bsize } = await statfs(out);
    if (bavail * bsize < needed) throw diskFull(out, needed, bavail * bsize);
  }

  /** Files made from weights and graphs. */
  #outputs(): { name: string; bytes: number }[] {
    const { dataFiles, graphs } = this.#plan;
    return [...dataFiles, ...graphs.map(({ name, bytes }) => ({ name, bytes: bytes.length }))];
  }

  async #hashSource(journal: Journal): Promise<ContainerFile[]> {
    const hashes: ContainerFile[] = [];
    for (const { name, bytes } of [...this.#plan.companions, ...this.#plan.tensorFiles]) {
      let hashed = journal.source.find((file) => file.name === name && file.bytes === bytes);
      if (hashed === undefined) {
        const hash = createHash('sha256');
        const read = await this.#readWhole(name, 'hash', async (chunk) => {
          hash.update(chunk);
        });
        hashed = { name, bytes: read, sha256: hash.digest('hex') };
        await journal.addSource(hashed);
      } else {
        this.#progress('hash', bytes, name);
      }
      hashes.push(hashed);
    }
    return hashes;
  }

  async #writeFiles(journal: Journal): Promise<void> {
    const write = async (name: string, bytes: number, fill: (sink: Sink) => Promise<void>) => {
      if (journal.finished(name) !== undefined) return this.#progress('write', bytes, name);
      await journal.addFile(await writeOutputFile(this.#options.out, name, fill));
    };
    for (const { name, bytes } of this.#plan.companions) {
      await write(name, bytes, async (sink) => {
        await this.#readWhole(name, 'write', (chunk) => sink.write(chunk));
      });
    }
    for (const file of this.#plan.dataFiles) {
      await write(file.name, file.bytes, (sink) => this.#writeData(file, sink));
    }
    for (const { name, bytes } of this.#plan.graphs) {
      await write(name, bytes.length, async (sink) => {
        await sink.write(bytes);
        this.#progress('write', bytes.length, name);
      });
    }
  }

  async #writeData(file: DataFile, sink: Sink): Promise<void> {
    for (const { job, offsets } of file.jobs) {
      let output = -1;
      for await (const chunk of encodeJob(job, this.#plan.tensors)) {
        throwIfCancelled(this.#options.signal);
        const before = sink.position;
        if (chunk.output !== output) {
          output = chunk.output;
          await sink.padTo(offsets[output]!);
        }
        await sink.write(chunk.bytes);
        this.#progress('write', sink.position - before, file.name);
      }
    }
    if (sink.position !== file.bytes)
      throw new Error(`${file.name}: ${sink.position} bytes, planned ${file.bytes}`);
  }

  /** Streams one of the checkpoint's files; returns its size. */
  async #readWhole(
    name: string,
    phase: ConversionProgress['phase'],
    use: (chunk: Uint8Array) => Promise<void>,
  ): Promise<number> {
    const handle = await this.#plan.folder.open(name);
    let total = 0;
    try {
      const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
      for (;;) {
        throwIfCancelled(this.#options.signal);
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, total);
        if (bytesRead === 0) return total;
        await use(buffer.subarray(0, bytesRead));
        total += bytesRead;
        this.#progress(phase, bytesRead, name);
      }
    } finally {
      await handle.close();
    }
  }

  #progress(phase: ConversionProgress['phase'], bytes: number, file: string): void {
    this.#done += phase === 'hash' ? hashShare * bytes : bytes;
    const doneBytes = Math.round(this.#done);
    this.#options.onProgress?.({ phase, doneBytes, totalBytes: this.#totalBytes, file });
  }

  #manifest(source: readonly ContainerFile[], files: readonly ContainerFile[]): Manifest {
    const { folder, fingerprint, precision, parameters, architecture, policy } = this.#plan;
    const graph = (name: string) => ({ file: `${name}.onnx`, activation: policy.activation });
    const sorted = source.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const whole = createHash('sha256');
    for (const { name, sha256 } of sorted) whole.update(`${name}\0${sha256}\n`);
    return manifestSchema.parse({
      format: 'readroom-container',
      formatVersion: containerFormatVersion,
      converterRevision,
      source: { name: folder.name, sha256: whole.digest('hex'), files: sorted, fingerprint },
      precision,
      parameters,
      architecture,
      graphs: {
        vision: graph('vision'),
        embed: graph('embed'),
        decoder: graph('decoder'),
        ...(policy.activation === 'float32' ? { decoderHost: graph('decoder-host') } : {}),
      },
      weights: {
        vision: policy.vision,
        patchEmbedding: policy.patchEmbedding,
        decoder: policy.decoder,
        keyValue: policy.keyValue,
        output: policy.output,
        head: policy.head,
        embedding: policy.embedding,
      },
      files: [...files],
    } satisfies Manifest);
  }
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((total, { bytes }) => total + bytes, 0);
}
