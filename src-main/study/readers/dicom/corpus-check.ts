/**
 * Reads every file of a folder and holds the result against what pydicom made of the same bytes (fixtures/dicom,
 * written by training/fixtures/dicom_expected.py). Used by the tests and by scripts/corpus-dicom.mjs.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { toReadroomError } from '../../../../src-contract/errors.ts';
import type { StoredArray } from '../../pixels.ts';
import { defaultLimits } from '../../reader.ts';
import { decodeDicom, parseDicom } from '../dicom.ts';

/** One file, as pydicom sees it. */
export interface ExpectedFile {
  sha256: string;
  decodable: boolean;
  /** Why pydicom does not decode it. */
  why?: string;
  rows?: number;
  columns?: number;
  frames?: number;
  channels?: number;
  /** numpy's name of the type of the stored array. */
  dtype?: string;
  min?: number;
  max?: number;
  sum?: number;
  /** SHA-256 of the stored array as little-endian bytes. */
  pixels?: string;
}

export type Expectations = Readonly<Record<string, ExpectedFile>>;

export interface CorpusResult {
  file: string;
  /**
   * exact: the pixels that pydicom gives. different: other pixels, or none. read: pixels where pydicom gives none, or
   * where nothing is expected. no-image: DICOM without pixels. refused: a typed error where pydicom gives none either.
   * fault: an error that is not typed.
   */
  outcome: 'exact' | 'different' | 'read' | 'no-image' | 'refused' | 'fault';
  detail?: string;
  milliseconds: number;
}

export async function checkCorpus(folder: string, expected: Expectations): Promise<CorpusResult[]> {
  const byHash = new Map(Object.values(expected).map((entry) => [entry.sha256, entry]));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const results: CorpusResult[] = [];
  for (const file of files.sort()) {
    const bytes = new Uint8Array(await readFile(file));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const name = path.relative(folder, file);
    const started = performance.now();
    const { outcome, detail } = await checkFile(bytes, sha256, name, byHash.get(sha256));
    results.push({ file: name, outcome, detail, milliseconds: performance.now() - started });
  }
  return results;
}

async function checkFile(
  bytes: Uint8Array,
  sha256: string,
  name: string,
  expected: ExpectedFile | undefined,
): Promise<Pick<CorpusResult, 'outcome' | 'detail'>> {
  try {
    const instance = parseDicom(bytes, { path: name, bytes: bytes.length, sha256 }, defaultLimits);
    if (!instance)
      return expected?.decodable ? { outcome: 'different', detail: 'no image' } : { outcome: 'no-image' };
    const frames = await decodeDicom(bytes, name, defaultLimits);
    if (!expected?.decodable) return { outcome: 'read', detail: expected?.why };
    const found = {
      rows: frames.rows,
      columns: frames.columns,
      frames: frames.frames,
      channels: frames.channels,
      dtype: frames.data.constructor.name.replace('Array', '').toLowerCase(),
      pixels: hash(frames.data),
    };
    for (const [key, value] of Object.entries(found)) {
      const wanted = expected[key as keyof typeof found];
      if (wanted !== value) return { outcome: 'different', detail: `${key} is ${value}, not ${wanted}` };
    }
    return { outcome: 'exact' };
  } catch (thrown) {
    const error = toReadroomError(thrown);
    if (error.code === 'internal') return { outcome: 'fault', detail: error.message };
    const detail = `${error.code}: ${error.message}`;
    return { outcome: expected?.decodable ? 'different' : 'refused', detail };
  }
}

function hash(data: StoredArray): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}
