/**
 * Takes an archive into a project. It comes from elsewhere: only the members that its own list names are looked at, names
 * are patterns that can't leave a folder, sizes are checked before anything is unpacked (study/readers/zip-archive.ts),
 * and the log is checked like that of a project file.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReadroomError } from '../../../../src-contract/errors.ts';
import { type LogEntry, logEntrySchema, type MergeReport } from '../../../../src-contract/project.ts';
import { traceLimits } from '../../../../src-contract/trace.ts';
import { maxTime, tampered } from '../file/check-log.ts';
import { inTurns, type Progress, type Steps } from '../file/steps.ts';
import { findBreak, nameOf } from '../log/log.ts';
import type { LogSource } from '../merge.ts';
import { type Place, rememberPlace } from '../places.ts';
import type { Change, Project } from '../project.ts';
import { dropTrace, putTrace } from '../traces.ts';
import {
  archiveVersion,
  logName,
  type Manifest,
  manifestName,
  manifestSchema,
  traceName,
} from './manifest.ts';
import { openZip, type ZipFile } from './open-zip.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: Progress;
}

const maxLogBytes = 2 * 1024 ** 3;
const maxManifestBytes = 512 * 1024 ** 2;
const maxFileBytes = 4 * 1024 ** 3;

/** Images of an archive lie beside the project that they came into. */
export const pixelsFolder = (projectFile: string): string => `${projectFile}.images`;

/** @throws ReadroomError 'file-malformed', 'format-unsupported', 'file-too-large', 'cancelled' */
export async function mergeArchive(
  project: Project,
  file: string,
  { signal, onProgress }: ReadOptions = {},
): Promise<{ report: MergeReport; change: Change }> {
  onProgress?.(0, 1);
  const zip = await openZip(file);
  const manifest = await readManifest(zip, file);
  throwIfCancelled(signal);
  const log = (await zip.read(logName, maxLogBytes)).toString('utf8');
  const entries = await inTurns(parseLog(log, file), signal);
  if (entries.length !== manifest.entries)
    throw tampered(file, `it has ${entries.length} entries, not ${manifest.entries}`);
  const broken = await inTurns(findBreak(sorted(entries), hashesOf(entries)), signal);
  if (broken) throw tampered(file, broken);
  const wanted = tracesOf(entries, file);
  const total = wanted.size + manifest.files.length + entries.length;
  let done = 0;
  const step = (): void => {
    throwIfCancelled(signal);
    onProgress?.(++done, total);
  };
  const staged: string[] = [];
  let images: Images | null = null;
  try {
    // One at a time: all of them may be more than memory holds. Traces go by their hash, so one too many does no harm.
    for (const sha256 of wanted) {
      step();
      if (project.hasTrace(sha256)) continue;
      await takeTrace(project, zip, sha256, file);
      staged.push(sha256);
    }
    images = await takeImages(project, zip, manifest, file, step);
    const merging = project.merge(logOf(entries, file), (merged) => onProgress?.(done + merged, total));
    const result = await inTurns(merging, signal);
    for (const { source, place } of images.taken) rememberPlace(project.db, source, place);
    return result;
  } catch (thrown) {
    await images?.remove();
    project.db.transaction(() => {
      for (const sha256 of staged) dropTrace(project.db, sha256);
    });
    throw thrown;
  }
}

async function takeTrace(project: Project, zip: ZipFile, sha256: string, file: string): Promise<void> {
  const bytes = await zip.read(traceName(sha256), traceLimits.bytes);
  if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
    throw tampered(file, `trace ${sha256} is another one`);
  }
  putTrace(project.db, bytes.toString('utf8'));
}

/** The log of an archive whose traces are in the project already. */
const logOf = (entries: readonly LogEntry[], file: string): LogSource => ({
  name: file,
  count: entries.length,
  entries: () => entries,
  trace: (sha256) => {
    throw tampered(file, `trace ${sha256} is missing`);
  },
});

async function readManifest(zip: ZipFile, file: string): Promise<Manifest> {
  if (!zip.has(manifestName)) {
    throw new ReadroomError('file-malformed', `${file} is no archive of a Readroom project.`, {
      file,
      remedy: 'To look at images in a zip archive, open it as a study.',
    });
  }
  let value: unknown;
  try {
    value = JSON.parse((await zip.read(manifestName, maxManifestBytes)).toString('utf8'));
  } catch (thrown) {
    if (thrown instanceof ReadroomError) throw thrown;
    throw tampered(file, `${manifestName} is not JSON`);
  }
  const version =
    typeof value === 'object' && value !== null && 'version' in value ? Number(value.version) : 0;
  if (version > archiveVersion) {
    throw new ReadroomError('format-unsupported', `${file} was made by a newer Readroom.`, {
      file,
      remedy: 'Install the newer version of Readroom.',
    });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw tampered(file, `${manifestName}: ${issue.path.join('.')} ${issue.message}`);
}

function* parseLog(text: string, file: string): Steps<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    yield;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw tampered(file, `line ${index + 1} of ${logName} is not JSON`);
    }
    const parsed = logEntrySchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw tampered(file, `line ${index + 1} of ${logName}: ${issue.path.join('.')} ${issue.message}`);
    }
    if (parsed.data.at > maxTime)
      throw tampered(file, `${nameOf(parsed.data)} is dated beyond the year 2200`);
    entries.push(parsed.data);
  }
  return entries;
}

/** By replica and number, as the check of the chain goes through them. */
const sorted = (entries: readonly LogEntry[]): LogEntry[] =>
  [...entries].sort((a, b) => (a.replica < b.replica ? -1 : a.replica > b.replica ? 1 : a.seq - b.seq));

function hashesOf(entries: readonly LogEntry[]): (hash: string) => boolean {
  const hashes = new Set(entries.map(({ hash }) => hash));
  return (hash) => hashes.has(hash);
}

function tracesOf(entries: readonly LogEntry[], file: string): Set<string> {
  const cases = new Set<string>();
  const traces = new Set<string>();
  for (const { body } of entries) if (body.type === 'case-added') cases.add(body.case.caseId);
  for (const entry of entries) {
    const { body } = entry;
    if (body.type !== 'run-added') continue;
    if (!cases.has(body.caseId)) throw tampered(file, `${nameOf(entry)} adds a run to no case`);
    traces.add(body.traceSha256);
  }
  return traces;
}

interface Images {
  readonly taken: { readonly source: string; readonly place: Place }[];
  /** Takes those away that were not there before. */
  remove(): Promise<void>;
}

async function takeImages(
  project: Project,
  zip: ZipFile,
  { files }: Manifest,
  file: string,
  onFile: () => void,
): Promise<Images> {
  const folder = pixelsFolder(project.file);
  const taken: Images['taken'] = [];
  const made: string[] = [];
  const isNew = !existsSync(folder);
  const remove = async (): Promise<void> => {
    for (const path of made) {
      await rm(path, { force: true });
      await rm(`${path}.tmp`, { force: true });
    }
    // Another program may have put something there.
    if (isNew) await rmdir(folder).catch(() => undefined);
  };
  try {
    if (files.length > 0) await mkdir(folder, { recursive: true });
    for (const { name, bytes: size, sha256: source, actualSha256 } of files) {
      onFile();
      const bytes = await zip.read(name, maxFileBytes);
      if (bytes.length !== size || createHash('sha256').update(bytes).digest('hex') !== actualSha256) {
        throw tampered(file, `${name} is not what its list says`);
      }
      // The manifest's pattern leaves a plain name, made of a hash and an ending.
      const path = join(folder, name.slice('pixels/'.length));
      if (!existsSync(path)) made.push(path);
      await writeFile(`${path}.tmp`, bytes, { flush: true });
      await rename(`${path}.tmp`, path);
      taken.push({ source, place: { path, bytes: size, sha256: actualSha256 } });
    }
    return { taken, remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ReadroomError('cancelled', 'Cancelled; nothing was taken in.');
}
