/** Writes a project as one file: log, traces and, where wanted, images without identifiers. Whole or not at all. */
import { createHash } from 'node:crypto';
import { ReadroomError, toReadroomError } from '../../../../src-contract/errors.ts';
import type { LogBody } from '../../../../src-contract/project.ts';
import type { SourceFile } from '../../../../src-contract/study.ts';
import { researchNotice } from '../../../../src-contract/trace.ts';
import { appVersion } from '../../../runs/version.ts';
import { deidentify } from '../../../study/deidentify/deidentify.ts';
import { writeError } from '../../../trace/atomic-write.ts';
import { canonicalJson, entryOf, type LogRow, logColumns } from '../log/log.ts';
import { readPlaced } from '../places.ts';
import type { Project } from '../project.ts';
import { traceText } from '../traces.ts';
import {
  type ArchivedFile,
  archiveFormat,
  archiveVersion,
  logName,
  type Manifest,
  manifestName,
  traceName,
} from './manifest.ts';
import { ZipWriter } from './zip-writer.ts';

export interface WriteOptions {
  readonly pixels: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ArchiveReport {
  readonly runs: number;
  readonly files: number;
  /** Image files that are not in it, each with the reason. */
  readonly leftOut: { readonly name: string; readonly reason: string }[];
}

/** @throws ReadroomError 'cancelled', 'disk-full', 'file-unreadable'; there is no file then, or the old one */
export async function writeArchive(
  project: Project,
  target: string,
  { pixels, signal, onProgress = () => undefined }: WriteOptions,
): Promise<ArchiveReport> {
  const { db } = project;
  // Log and traces at one moment: what is written meanwhile is for the next archive.
  const lines = [...logLines(project)];
  const traces = db.all<{ sha256: string }>('SELECT sha256 FROM traces ORDER BY sha256');
  const sources = pixels ? allSources(project) : [];
  const total = traces.length + sources.length + 1;
  const files: ArchivedFile[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  const zip = await ZipWriter.create(target).catch((thrown: unknown) => {
    throw writeError(thrown, target);
  });
  try {
    await zip.add(logName, Buffer.from(lines.join(''), 'utf8'));
    onProgress(1, total);
    for (const [index, { sha256 }] of traces.entries()) {
      throwIfCancelled(signal);
      await zip.add(traceName(sha256), Buffer.from(traceText(db, sha256), 'utf8'));
      onProgress(index + 2, total);
    }
    for (const [index, source] of sources.entries()) {
      throwIfCancelled(signal);
      const taken = await takePixels(project, source);
      if ('reason' in taken) leftOut.push(taken);
      else {
        files.push(taken.file);
        await zip.add(taken.file.name, taken.bytes);
      }
      onProgress(traces.length + index + 2, total);
    }
    const manifest: Manifest = {
      format: archiveFormat,
      version: archiveVersion,
      notice: researchNotice,
      app: `readroom ${appVersion()}`,
      title: project.title,
      entries: lines.length,
      pixels: pixels ? 'de-identified' : 'none',
      files,
    };
    await zip.add(manifestName, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, 'utf8'));
    throwIfCancelled(signal);
    await zip.finish();
    return { runs: traces.length, files: files.length, leftOut };
  } catch (thrown) {
    await zip.abandon();
    throw writeError(thrown, target);
  }
}

function* logLines({ db }: Project): Generator<string> {
  const rows = db.each<LogRow>(`SELECT ${logColumns} FROM log ORDER BY id`);
  for (const row of rows) yield `${canonicalJson(entryOf(row))}\n`;
}

/** Each file once, as the log names it. */
function allSources({ db }: Project): SourceFile[] {
  const sources = new Map<string, SourceFile>();
  for (const { body } of db.all<{ body: string }>(
    "SELECT body FROM log WHERE type = 'case-added' ORDER BY id",
  )) {
    const parsed = JSON.parse(body) as LogBody;
    if (parsed.type !== 'case-added') continue;
    for (const source of parsed.case.sources)
      if (!sources.has(source.sha256)) sources.set(source.sha256, source);
  }
  return [...sources.values()];
}

async function takePixels(
  project: Project,
  source: SourceFile,
): Promise<{ file: ArchivedFile; bytes: Uint8Array } | { name: string; reason: string }> {
  const name = (source.member ?? source.path).split(/[\\/]/).pop() ?? '';
  const bytes = await readPlaced(project.db, source);
  if (!bytes) return { name, reason: 'It is not where it was, or it was changed.' };
  try {
    const clean = await deidentify(bytes, name);
    const actualSha256 = createHash('sha256').update(clean.bytes).digest('hex');
    const file = {
      sha256: source.sha256,
      name: `pixels/${source.sha256}${clean.suffix}`,
      bytes: clean.bytes.length,
      actualSha256,
    };
    return { file, bytes: clean.bytes };
  } catch (thrown) {
    return { name, reason: toReadroomError(thrown).message };
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled; no archive was written.');
}
