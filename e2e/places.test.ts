/**
 * Boxes are drawn where the crop was cut: checked against the pixels of a block whose place is known, so that the drawing
 * is measured with something else than its own arithmetic. In all three planes, on a DICOM series, on the same volume as
 * a NIfTI stored along other axes, and on a picture.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunEventOf } from '../src-contract/run-events.ts';
import { summarizeEvents, type Trace } from '../src-contract/trace.ts';
import { describeWindow } from './harness/describe-window.ts';
import { drawnBox, type Edges, findBlock, picturePane } from './harness/pixels.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import {
  marked,
  markedMillimetres,
  markedPicture,
  writeMarkedDicom,
  writeMarkedNifti,
  writeMarkedPicture,
  writeMarkedRadiograph,
} from './harness/studies.ts';
import {
  ask,
  chooseMenu,
  ended,
  goToSlice,
  lastTrace,
  openPath,
  recordRuns,
  settle,
} from './harness/window.ts';

const question = 'What type of lesion is shown?';
const choices = ['solid lesion', 'ring lesion', 'stippled lesion', 'spiculated lesion'];
/** Half a source pixel, and what reading an edge off a screenshot can be wrong by. */
const halfPixel = 0.5;

describeWindow('Where boxes are drawn', () => {
  let readroom: Readroom;
  let folder: string;
  const traces = new Map<string, Trace>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-places-'));
    readroom = await launchReadroom();
    await recordRuns(readroom.page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function askAbout(name: string): Promise<RunEventOf<'box'>> {
    const { page } = readroom;
    await ask(page, question, choices);
    // Every study has questions of its own.
    await ended(page, 1);
    const trace = await lastTrace(page);
    traces.set(name, trace);
    const [step] = summarizeEvents(trace.events).steps;
    if (!step) throw new Error(`the model wrote no box about the ${name}: nothing to check`);
    return step.box;
  }

  /**
   * Compares the box drawn in a pane with the trace's, given what the pane's horizontal and vertical axes are in the
   * study (`block` and `box` in the same units, low and high as they lie on the screen).
   */
  async function expectInPlace(
    pane: number,
    axes: readonly { block: readonly [number, number]; box: readonly [number, number]; pixel: number }[],
  ): Promise<void> {
    const { page } = readroom;
    const measured = findBlock(await picturePane(page, pane, false));
    const drawn = await drawnBox(page, pane);
    expect(drawn, `pane ${pane} shows the box`).not.toBeNull();
    const { low, high } = drawn as Edges;
    axes.forEach(({ block, box, pixel }, axis) => {
      const [from, to] = [measured.low[axis] ?? 0, measured.high[axis] ?? 0];
      const perUnit = (to - from) / (block[1] - block[0]);
      const onScreen = (value: number) => from + (value - block[0]) * perUnit;
      const off = [onScreen(box[0]) - (low[axis] ?? 0), onScreen(box[1]) - (high[axis] ?? 0)].map(
        (pixels) => Math.abs(pixels / perUnit) / pixel,
      );
      expect(Math.max(...off), `pane ${pane}, axis ${axis}, in source pixels`).toBeLessThanOrEqual(halfPixel);
    });
  }

  /** The outline is there in pixels, not only in the document. */
  async function expectPainted(pane: number): Promise<void> {
    const { page } = readroom;
    const [bare, painted] = [await picturePane(page, pane, false), await picturePane(page, pane, true)];
    const { low, high } = (await drawnBox(page, pane)) as Edges;
    const spots = [0.3, 0.5, 0.7].flatMap((share) => {
      const x = low[0] + (high[0] - low[0]) * share;
      const y = low[1] + (high[1] - low[1]) * share;
      return [
        [x, low[1]],
        [x, high[1]],
        [low[0], y],
        [high[0], y],
      ] as [number, number][];
    });
    const changed = spots.filter(([x, y]) => {
      const inFrame = x > 1 && y > 1 && x < bare.width - 2 && y < bare.height - 2;
      const differs = (dx: number, dy: number) => {
        const [a, b] = [bare.at(x + dx, y + dy), painted.at(x + dx, y + dy)];
        return a.reduce((sum, value, n) => sum + Math.abs(value - (b[n] ?? 0)), 0) > 60;
      };
      return inFrame && (differs(0, 0) || differs(-1, -1));
    });
    expect(changed.length).toBeGreaterThanOrEqual(9);
  }

  const span = (corners: readonly (readonly number[])[], axis: number): [number, number] => {
    const values = corners.map((corner) => corner[axis] ?? Number.NaN);
    return [Math.min(...values), Math.max(...values)];
  };

  /** Checks all three planes of a volume; millimetres along L, P and H throughout. */
  async function expectPlanesInPlace(box: RunEventOf<'box'>): Promise<void> {
    const { app, page } = readroom;
    const corners = box.located.patientCorners ?? [];
    expect(corners).toHaveLength(8);
    const axis = (n: number, turned: boolean) => {
      const sign = turned ? -1 : 1;
      const onScreen = ([a, b]: readonly [number, number]): readonly [number, number] =>
        turned ? [sign * b, sign * a] : [a, b];
      return {
        block: onScreen([markedMillimetres.min[n] ?? 0, markedMillimetres.max[n] ?? 0]),
        box: onScreen(span(corners, n)),
        pixel: marked.spacing[n] ?? 1,
      };
    };
    await chooseMenu(app, 'layout-mpr');
    await page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: 120_000 });
    const chip = page.locator('[data-testid=turn]').first().getByTestId('step-chip').first();
    await chip.click();
    await expect.poll(() => drawnBox(page, 2), { timeout: 30_000 }).not.toBeNull();
    await settle(page);
    const order = await page.evaluate(() =>
      [0, 1, 2].map((n) => document.querySelector(`[data-testid=viewport-${n}]`)?.getAttribute('data-view')),
    );
    expect(order).toEqual(['axial', 'sagittal', 'coronal']);
    await expectInPlace(0, [axis(0, false), axis(1, false)]);
    await expectInPlace(1, [axis(1, false), axis(2, true)]);
    await expectInPlace(2, [axis(0, false), axis(2, true)]);
    for (const pane of [0, 1, 2]) await expectPainted(pane);
    await chooseMenu(app, 'layout-1x1');
  }

  it('on a DICOM series: axial, and only on the slices that the box spans', async () => {
    const { page } = readroom;
    await openPath(readroom, writeMarkedDicom(join(folder, 'dicom')));
    const box = await askAbout('DICOM series');
    const { min, max } = box.located.sourceVoxel;
    const first = Math.ceil(min[2] - 1e-6);
    const last = Math.ceil(max[2] - 1e-6) - 1;
    expect(last).toBeGreaterThanOrEqual(first);
    const seen: Record<number, boolean> = {};
    for (const slice of [first - 1, first, last, last + 1]) {
      if (slice < 0 || slice >= marked.size[2]) continue;
      await goToSlice(page, 0, slice);
      await settle(page);
      seen[slice] = (await drawnBox(page, 0)) !== null;
    }
    for (const [slice, shown] of Object.entries(seen)) {
      expect(shown, `slice ${slice} of ${first}..${last}`).toBe(
        Number(slice) >= first && Number(slice) <= last,
      );
    }
  });

  it('on a DICOM series: axial, sagittal and coronal, to half a source pixel', async () => {
    const [step] = summarizeEvents(traces.get('DICOM series')?.events ?? []).steps;
    if (!step) throw new Error('there is no box to check');
    await expectPlanesInPlace(step.box);
  });

  it('on the same volume as a NIfTI: the same words, the same place in the patient, drawn there', async () => {
    await openPath(readroom, writeMarkedNifti(join(folder, 'same.nii')));
    const box = await askAbout('NIfTI');
    const [dicom, nifti] = ['DICOM series', 'NIfTI'].map((name) =>
      summarizeEvents(traces.get(name)?.events ?? []),
    );
    expect(nifti?.finished?.response).toBe(dicom?.finished?.response);
    const [a, b] = [dicom, nifti].map((one) => one?.steps[0]?.box.located.patientCorners ?? []);
    for (const axis of [0, 1, 2]) {
      const [ours, theirs] = [span(a ?? [], axis), span(b ?? [], axis)];
      expect(Math.abs(ours[0] - theirs[0])).toBeLessThan(0.01);
      expect(Math.abs(ours[1] - theirs[1])).toBeLessThan(0.01);
    }
    await expectPlanesInPlace(box);
  });

  for (const [name, write] of [
    ['picture', (at: string) => writeMarkedPicture(join(at, 'picture.png'))],
    ['DICOM radiograph', (at: string) => writeMarkedRadiograph(join(at, 'radiograph.dcm'))],
  ] as const) {
    it(`on a ${name}, to half a source pixel`, async () => {
      await openPath(readroom, write(folder));
      const box = await askAbout(name);
      await readroom.page.locator('[data-testid=turn]').first().getByTestId('step-chip').first().click();
      await settle(readroom.page);
      const { min, max } = box.located.sourceVoxel;
      await expectInPlace(
        0,
        [0, 1].map((axis) => ({
          block: [(markedPicture.min[axis] ?? 0) - 0.5, (markedPicture.max[axis] ?? 0) - 0.5] as const,
          box: [min[axis] ?? 0, max[axis] ?? 0] as const,
          pixel: 1,
        })),
      );
      await expectPainted(0);
      expect(traces.get(name)?.events[0]).toMatchObject({ type: 'run-started', mode: '2d' });
      expect(readroom.complaints).toEqual([]);
    });
  }
});
