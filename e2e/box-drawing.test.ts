/**
 * Boxes that a person draws lie where they were drawn: by the pixels of a block whose place is known, on a volume that is
 * stored along other axes (two of them backwards), and on a picture. Nothing here uses the window's own arithmetic.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyAffine, point } from '../src-contract/geometry.ts';
import type { SourceBox } from '../src-contract/source-box.ts';
import type { Trace } from '../src-contract/trace.ts';
import { describeWindow } from './harness/describe-window.ts';
import { type Edges, findBlock, picturePane } from './harness/pixels.ts';
import { sampleInput, scriptedRun, seedLibrary, threeSteps } from './harness/projects.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import {
  marked,
  markedMillimetres,
  markedPicture,
  writeMarkedNifti,
  writeMarkedPicture,
} from './harness/studies.ts';
import { patience, settle } from './harness/window.ts';

const say = (numbers: readonly number[]) => [
  `<think>It is at <|box_start|>[${numbers.join(',')}]<|box_end|>`,
  ' there.</think>\n\nA. right lung<|im_end|>',
];

describeWindow('Drawing boxes', () => {
  let readroom: Readroom;
  let page: Page;
  let volume: Trace;
  const folder = mkdtempSync(join(tmpdir(), 'readroom-drawing-'));
  beforeAll(async () => {
    const nifti = writeMarkedNifti(join(folder, 'marked.nii'));
    const picture = writeMarkedPicture(join(folder, 'marked.png'));
    // About where the block is, in the model's own pixels: 280 x 280 and 32 slices of 96 x 80 x 48 voxels.
    volume = await scriptedRun(await sampleInput(undefined, nifti), {
      ...threeSteps,
      runId: 'volume',
      script: say([60, 95, 9, 120, 165, 22]),
    });
    const flat = await scriptedRun(await sampleInput(0, picture), {
      ...threeSteps,
      runId: 'picture',
      script: say([60, 50, 150, 160]),
    });
    await seedLibrary(join(folder, 'settings'), [volume, flat], ['Marked volume', 'Marked picture']);
    readroom = await launchReadroom({ userData: join(folder, 'settings') });
    page = readroom.page;
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function openRun(title: string, file: string): Promise<void> {
    await page.getByTestId('list').waitFor({ timeout: patience });
    await page.keyboard.press('Control+l');
    await page.getByTestId('case-item').filter({ hasText: title }).click();
    await page.locator('.run-open').first().click();
    await page.locator('[data-testid=run-item][aria-current=true]').waitFor({ timeout: patience });
    await page.getByTestId('viewport-0').getByText(file).waitFor({ timeout: patience });
    await expect.poll(() => page.getByTestId('images-missing').count()).toBe(0);
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    await page
      .locator('[data-testid=overlay-0] [data-testid=overlay-box]')
      .first()
      .waitFor({ state: 'attached' });
  }

  const ownBox = async (runId: string): Promise<SourceBox> => {
    const answer = await page.evaluate((id) => window.readroom.call('review.get', { runId: id }), runId);
    if (!answer.ok) throw new Error(answer.error.message);
    const box = answer.value.own.boxes[0];
    if (!box) throw new Error('there is no corrected box');
    return box;
  };

  /** The block's faces on the screen, in pixels of the page. */
  async function faces(pane: number): Promise<Edges> {
    const frame = await page.locator(`[data-testid=viewport-${pane}] .pane-picture`).boundingBox();
    const { low, high } = findBlock(await picturePane(page, pane, false));
    const [x, y] = [frame?.x ?? 0, frame?.y ?? 0];
    return { low: [low[0] + x, low[1] + y], high: [high[0] + x, high[1] + y] };
  }

  async function drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 3 });
    await page.mouse.move(...to, { steps: 3 });
    await page.mouse.up();
    await page.locator('[data-testid=saved][data-state=saved]').waitFor({ timeout: 15_000 });
    await settle(page);
  }

  /** Draws around the block: from within its first voxel to within its last. */
  async function drawAround(pane: number, voxels: readonly [number, number]): Promise<void> {
    const { low, high } = await faces(pane);
    const half = [0, 1].map((axis) => ((high[axis] ?? 0) - (low[axis] ?? 0)) / (voxels[axis] ?? 1) / 2);
    await page.keyboard.press('d');
    await drag(
      [low[0] + (half[0] ?? 0), low[1] + (half[1] ?? 0)],
      [high[0] - (half[0] ?? 0), high[1] - (half[1] ?? 0)],
    );
  }

  it('a rectangle in the axial plane, its ends in the coronal one: the block, to the voxel', async () => {
    await openRun('Marked volume', 'marked.nii');
    await page.getByTestId('layout-mpr').click();
    await page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: patience });
    await page.keyboard.press('z');
    await settle(page);
    const [columns, rows, slices] = marked.block.max.map(
      (max, axis) => max - (marked.block.min[axis] ?? 0),
    ) as [number, number, number];
    await drawAround(0, [columns, rows]);
    // In the coronal plane: the drawn box's upper and lower edges to the block's.
    for (const end of ['low', 'high'] as const) {
      const { low, high } = await faces(2);
      const outline = await page
        .locator('[data-testid=overlay-2] .in-hand [data-testid=reader-box]')
        .boundingBox();
      if (!outline) throw new Error('the box is not on the coronal plane');
      const x = outline.x + outline.width / 2;
      const from = end === 'low' ? outline.y : outline.y + outline.height;
      const to = end === 'low' ? low[1] : high[1];
      const perSlice = (high[1] - low[1]) / slices;
      if (Math.abs(from - to) > perSlice / 4) await drag([x, from], [x, to]);
    }
    const box = await ownBox('volume');
    // By the file's own affine, to the patient: the block's faces, exactly.
    const toPatient = volume.chain.sourceToPatient ?? [];
    const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
      const at = [0, 1, 2].map((axis) => (bits & (1 << axis) ? box.max : box.min)[axis] ?? 0);
      return applyAffine(toPatient, point('source', at[0] ?? 0, at[1] ?? 0, at[2] ?? 0));
    });
    for (const axis of [0, 1, 2] as const) {
      const values = corners.map((corner) => corner[axis]);
      expect(Math.min(...values), `axis ${axis}`).toBeCloseTo(markedMillimetres.min[axis] ?? 0, 3);
      expect(Math.max(...values), `axis ${axis}`).toBeCloseTo(markedMillimetres.max[axis] ?? 0, 3);
    }
  });

  it('a rectangle on a picture: the block, to the pixel', async () => {
    await page.getByTestId('layout-1x1').click();
    await openRun('Marked picture', 'marked.png');
    await page.keyboard.press('z');
    await settle(page);
    const { min, max } = markedPicture;
    await drawAround(0, [max[0] - min[0], max[1] - min[1]]);
    const box = await ownBox('picture');
    expect(box).toEqual({ min: [min[0] - 0.5, min[1] - 0.5, -0.5], max: [max[0] - 0.5, max[1] - 0.5, 0.5] });
    expect(readroom.complaints).toEqual([]);
  });
});
