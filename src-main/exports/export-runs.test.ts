/** The service: whole or not at all, whatever the runs hold. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ExportFormat, exportFormats } from '../../src-contract/project.ts';
import { parseTrace, replay } from '../../src-contract/trace.ts';
import type { ExportRun } from './export-run.ts';
import { type ExportJob, exportRuns } from './export-runs.ts';
import { makeRun, reviewOf } from './testing/cases.ts';
import { runsOfTraces } from './trace-runs.ts';
import { traceJsonSchema } from './trace-schema.ts';

const formats = Object.keys(exportFormats) as ExportFormat[];
let scratch: string;
let run: ExportRun;
let out: string;
let count = 0;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'readroom-exports-'));
  const plain = await makeRun('oblique', join(scratch, 'source'));
  run = { ...plain, review: reviewOf(plain) };
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
beforeEach(() => {
  out = join(scratch, `out-${count++}`, 'export');
});

const job = (change: Partial<ExportJob> = {}): ExportJob => ({
  runs: [run],
  total: 1,
  formats: ['csv', 'trace'],
  folder: out,
  identifiers: false,
  ...change,
});
/** Nothing is left, hidden or not. */
const nothingIn = (folder: string): boolean => !existsSync(folder) || readdirSync(folder).length === 0;

describe('exporting', () => {
  it('writes every format, counts files, and leaves nothing of its own behind', async () => {
    const printed: string[] = [];
    const renderPdf = async (html: string): Promise<Uint8Array> => {
      printed.push(html);
      return Buffer.from('%PDF-');
    };
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }): void => void seen.push(done);
    const result = await exportRuns(job({ formats, renderPdf, onProgress }));
    expect(result.skipped).toEqual([]);
    expect(readdirSync(out).sort()).toEqual([...formats].sort());
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(result).toMatchObject({ files: files.length, runs: 1 });
    expect(files.map(({ name }) => name).filter((name) => /tmp|waiting|duckdb/.test(name))).toEqual([]);
    expect(readdirSync(dirname(out))).toEqual([basename(out)]);
    expect(printed).toHaveLength(1);
    expect(seen).toEqual([1]);
  });

  it('says nothing of the patient, the reader or the place unless asked', async () => {
    await exportRuns(job({ formats: ['trace', 'csv', 'html', 'coco', 'slicer-roi', 'llama-factory'] }));
    for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.endsWith('.png')) continue;
      const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      expect(text, entry.name).not.toMatch(/Nobody|Dr\. Reader|readroom-exports-/);
      expect(entry.name).not.toMatch(/nobody/i);
    }
    const named = join(scratch, 'named');
    await exportRuns(job({ folder: named, formats: ['csv'], identifiers: true }));
    expect(readFileSync(join(named, 'csv', 'boxes.csv'), 'utf8')).toContain("Nobody's oblique");
  });

  it('a trace that was exported replays, and carries its review', async () => {
    await exportRuns(job({ formats: ['trace'] }));
    const names = readdirSync(join(out, 'trace')).map((name) => join(out, 'trace', name));
    const file = names.find((name) => name.endsWith('.trace.json'))!;
    const reviewFile = names.find((name) => name.endsWith('.review.json'))!;
    const trace = parseTrace(readFileSync(file, 'utf8'), file);
    expect(replay(trace)).toEqual(replay(run.trace));
    const { value: again } = await runsOfTraces([{ file, reviewFile }]).next();
    expect(again.review).toEqual(run.review);
    expect(again.runId).toBe(run.runId);
    // Without its paths the pixels are not found; with the hashes they are.
    const second = await exportRuns(
      job({ runs: [again], formats: ['coco'], folder: join(scratch, 'again') }),
    );
    expect(second.skipped).toHaveLength(1);
    const found = { ...again, sources: run.sources };
    const third = await exportRuns(job({ runs: [found], formats: ['coco'], folder: join(scratch, 'found') }));
    expect(third.skipped).toEqual([]);
  });

  it('leaves nothing when it is cancelled, at any point', async () => {
    for (let after = 0; after <= 3; after++) {
      const stopping = new AbortController();
      const runs = (async function* () {
        for (let n = 0; n < 3; n++) {
          if (n === after) stopping.abort();
          yield { ...run, runId: `${run.runId}-${n}` };
        }
        if (after === 3) stopping.abort();
      })();
      await expect(
        exportRuns(job({ runs, formats: ['csv', 'unimed-cot', 'coco'], signal: stopping.signal })),
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(nothingIn(dirname(out))).toBe(true);
    }
  });

  it('leaves nothing when a run can not be had', async () => {
    const runs = (async function* () {
      yield run;
      throw new Error('the disk is gone');
    })();
    await expect(exportRuns(job({ runs }))).rejects.toThrow('the disk is gone');
    expect(nothingIn(dirname(out))).toBe(true);
  });

  it('refuses to write over an export, and replaces it where asked', async () => {
    mkdirSync(join(out, 'csv'), { recursive: true });
    writeFileSync(join(out, 'csv', 'mine.txt'), 'mine');
    writeFileSync(join(out, 'other.txt'), 'other');
    await expect(exportRuns(job())).rejects.toMatchObject({ code: 'input-invalid' });
    expect(readdirSync(join(out, 'csv'))).toEqual(['mine.txt']);
    await exportRuns(job({ replace: true }));
    expect(readdirSync(join(out, 'csv'))).toEqual(['boxes.csv']);
    expect(readdirSync(out).sort()).toEqual(['csv', 'other.txt', 'trace']);
  });

  it('tells which runs a format left out, and writes the others', async () => {
    const gone = {
      ...run,
      runId: 'gone',
      sources: run.sources.map((source) => ({ ...source, path: '/nowhere' })),
    };
    const changed = {
      ...run,
      runId: 'changed',
      sources: run.sources.map((one) => ({ ...one, sha256: '0'.repeat(64) })),
    };
    const result = await exportRuns(
      job({ runs: [gone, run, changed], total: 3, formats: ['coco', 'csv', 'html'] }),
    );
    expect(result.skipped.map(({ runId, format }) => [runId, format])).toEqual([
      ['gone', 'coco'],
      ['changed', 'coco'],
    ]);
    const { images } = JSON.parse(readFileSync(join(out, 'coco', 'annotations.json'), 'utf8'));
    expect(images).toHaveLength(32);
    // A report needs no sources: it says that the slices are missing.
    const pages = readdirSync(join(out, 'html')).map((name) => readFileSync(join(out, 'html', name), 'utf8'));
    expect(pages.filter((page) => page.includes('Slices are not shown'))).toHaveLength(2);
  });

  it('names files so that no run can leave the folder or fall on another', async () => {
    const runs = ['../../evil', '..\\evil', 'CON', 'a/b', 'A/B'].map((runId) => ({
      ...run,
      runId,
      caseTitle: runId,
    }));
    await exportRuns(job({ runs, formats: ['trace'], identifiers: true }));
    const names = readdirSync(join(out, 'trace')).filter((name) => name.endsWith('.trace.json'));
    expect(names).toHaveLength(5);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+\.trace\.json$/);
    expect(readdirSync(dirname(out))).toEqual([basename(out)]);
  });

  it('escapes what traces say', async () => {
    const trace = { ...run.trace, question: '<img src=x onerror=alert(1)> "q"' };
    await exportRuns(job({ runs: [{ ...run, trace }], formats: ['html', 'csv'] }));
    const [page] = readdirSync(join(out, 'html')).filter((name) => name !== 'index.html');
    expect(readFileSync(join(out, 'html', page), 'utf8')).not.toContain('<img src=x');
    expect(readFileSync(join(out, 'csv', 'boxes.csv'), 'utf8')).toContain(
      '"<img src=x onerror=alert(1)> ""q"""',
    );
  });
});

it('docs/trace.schema.json is what the code reads (node scripts/trace-schema.mjs)', () => {
  const published = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../docs/trace.schema.json'), 'utf8'),
  );
  expect(published).toEqual(JSON.parse(JSON.stringify(traceJsonSchema())));
});
