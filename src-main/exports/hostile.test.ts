/** Traces that come from anywhere: what can't be is left out and told, and the other runs are written all the same. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ExportFormat, exportFormats } from '../../src-contract/project.ts';
import { parseTrace, serializeTrace, type Trace } from '../../src-contract/trace.ts';
import type { ExportResult, ExportRun } from './export-run.ts';
import { exportRuns } from './export-runs.ts';
import { makeRun, reviewOf } from './testing/cases.ts';

const formats = (Object.keys(exportFormats) as ExportFormat[]).filter((format) => format !== 'pdf');
let folder: string;
let run: ExportRun;
let count = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-hostile-'));
  run = await makeRun('oblique', join(folder, 'source'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Exports the changed run beside a good one. */
async function withGood(change: (trace: Trace) => Trace): Promise<{ result: ExportResult; out: string }> {
  const trace = change(structuredClone(run.trace));
  const bad = { ...run, runId: 'bad', trace, review: { ...reviewOf(run), runId: 'bad' } };
  const out = join(folder, `out-${count++}`);
  const result = await exportRuns({ runs: [bad, run], total: 2, formats, folder: out, identifiers: false });
  expect(result.skipped.filter(({ runId }) => runId !== 'bad')).toEqual([]);
  return { result, out };
}
const leftOut = ({ skipped }: ExportResult): string[] => skipped.map(({ format }) => format);

it('a grid of impossible size', async () => {
  const { result } = await withGood((trace) => ({
    ...trace,
    chain: { ...trace.chain, sourceSize: [1e9, 1e9, 1e9] },
  }));
  expect(leftOut(result)).toEqual(expect.arrayContaining(['nifti', 'nrrd', 'coco', 'dicom-sr', 'dicom-seg']));
});

it('a model that was shown the universe', async () => {
  const { result } = await withGood((trace) => ({
    ...trace,
    chain: { ...trace.chain, processorSize: [1e8, 1e8, 32] },
  }));
  expect(leftOut(result)).toEqual(expect.arrayContaining(['coco', 'unimed-cot', 'llama-factory', 'verl']));
});

it('a chain that has no inverse', async () => {
  const { result } = await withGood((trace) => ({
    ...trace,
    chain: { ...trace.chain, processorToGrid: new Array(12).fill(0) },
  }));
  expect(leftOut(result)).toHaveLength(formats.length);
});

it('a place that is not the source’s: no report says where it is not', async () => {
  const { result } = await withGood((trace) => ({
    ...trace,
    chain: { ...trace.chain, sourceToPatient: [2, 0, 0, 5, 0, 2, 0, 5, 0, 0, 2, 5] },
  }));
  expect(leftOut(result)).toEqual(expect.arrayContaining(['dicom-sr', 'dicom-seg', 'coco']));
});

it('a picture that is markup', async () => {
  const evil = 'x"><script>alert(1)</script>';
  const { out } = await withGood((trace) => ({
    ...trace,
    events: trace.events.map((event) =>
      event.type === 'crop'
        ? { ...event, images: event.images.map((image) => ({ ...image, png: evil })) }
        : event,
    ),
  }));
  for (const name of readdirSync(join(out, 'html'))) {
    expect(readFileSync(join(out, 'html', name), 'utf8')).not.toContain('<script');
  }
});

it('words full of markup, separators and control characters', async () => {
  const words = '</title><script>x</script>\\^=|:\t\n\u0007"; =1+1 \u{1F9E0}'.repeat(40);
  const { result, out } = await withGood((trace) => {
    const changed = { ...trace, question: words, options: { A: words } };
    return parseTrace(serializeTrace(changed));
  });
  expect(result.skipped).toEqual([]);
  const pages = readdirSync(join(out, 'html')).map((name) => readFileSync(join(out, 'html', name), 'utf8'));
  for (const page of pages) expect(page).not.toContain('<script>');
});
