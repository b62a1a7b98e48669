/** 2D beside 3D in the window: the question on the cuboid's slices, the curve, the figure on screen and as files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CallName, CallParams, CallResult, EventPayload } from '../src-contract/channels.ts';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { ended, patience, recordRuns } from './harness/window.ts';

async function call<C extends CallName>(page: Page, name: C, params: CallParams<C>): Promise<CallResult<C>> {
  const answer = await page.evaluate(
    ([called, given]) => window.readroom.call(called as never, given as never),
    [name, params] as const,
  );
  const said = answer as { ok: true; value: CallResult<C> } | { ok: false; error: { message: string } };
  if (!said.ok) throw new Error(said.error.message);
  return said.value;
}

describeWindow('2D beside 3D', () => {
  const folder = mkdtempSync(join(tmpdir(), 'readroom-e2e-compare-'));
  let readroom: Readroom;
  let page: Page;
  beforeAll(async () => {
    readroom = await launchReadroom();
    page = readroom.page;
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Resolves with the event that ends the batch. `stopAt`: asks to stop when so many are done. */
  const batch = (volumeRunId: string, every: number, stopAt: number | null) =>
    page.evaluate(
      ([runId, step, stop]) =>
        new Promise<EventPayload<'compare.slices'>>((resolve, reject) => {
          const quiet = window.readroom.on('compare.slices', (event) => {
            if (event.done === stop) void window.readroom.call('compare.stopSlices', { volumeRunId: runId });
            if (event.state === 'running') return;
            quiet();
            resolve(event);
          });
          window.readroom.call('compare.askSlices', { volumeRunId: runId, every: step }).then((answer) => {
            if (!answer.ok) reject(new Error(answer.error.message));
          }, reject);
        }),
      [volumeRunId, every, stopAt] as const,
    );

  let volumeRunId = '';

  it('asks on the slices of the cuboid; stopped, it goes on where it was', async () => {
    await recordRuns(page);
    const added = page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const quiet = window.readroom.on('project.runAdded', ({ runId }) => {
            quiet();
            resolve(runId);
          });
        }),
    );
    await page.getByTestId('open-sample-centre').first().click({ timeout: patience });
    await page.getByTestId('suggestion').first().click({ timeout: patience });
    await ended(page, 1);
    volumeRunId = await added;
    const stopped = await batch(volumeRunId, 3, 1);
    expect(stopped).toMatchObject({ state: 'stopped', done: 1 });
    const points = async () => (await call(page, 'compare.consistency', { runId: volumeRunId })).points;
    expect(await points()).toHaveLength(1);
    const whole = await batch(volumeRunId, 3, null);
    expect(whole).toMatchObject({ state: 'done', total: stopped.total - 1, error: null });
    const all = await points();
    expect(all).toHaveLength(stopped.total);
    const ious = all.map(({ iou }) => iou ?? 0);
    expect(Math.min(...ious)).toBeGreaterThan(0);
    expect(ious.reduce((sum, iou) => sum + iou, 0) / ious.length).toBeGreaterThan(0.5);
    // Nothing is left to ask.
    expect(await batch(volumeRunId, 3, null)).toMatchObject({ state: 'done', total: 0 });
    // The chat shows the person's question only.
    expect(await page.getByTestId('turn').count()).toBe(1);
  });

  it('shows the figure under the content security policy, and saves it as PNG, SVG and PDF', async () => {
    const { points } = await call(page, 'compare.consistency', { runId: volumeRunId });
    const slice = points[points.length >> 1].slice;
    const { svg } = await call(page, 'compare.figure', { volumeRunId, slice });
    expect(svg).toContain('Not for clinical use');
    const size = await page.evaluate(async (text) => {
      const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
      const image = new Image();
      image.src = url;
      await image.decode();
      // Its pictures are drawn too: the middle of the large slice is not white.
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [360, Math.round((360 * image.naturalHeight) / image.naturalWidth)];
      const context = canvas.getContext('2d');
      context?.drawImage(image, 0, 0, canvas.width, canvas.height);
      const pixel = context?.getImageData(20, 60, 1, 1).data ?? [];
      URL.revokeObjectURL(url);
      return { width: image.naturalWidth, pixel: [...pixel] };
    }, svg);
    expect(size.width).toBeGreaterThan(100);
    expect(size.pixel.slice(0, 3).every((value) => value < 100)).toBe(true);
    for (const [name, magic] of [
      ['f.png', '\x89PNG'],
      ['f.svg', '<?xml'],
      ['f.pdf', '%PDF'],
    ] as const) {
      const file = join(folder, name);
      await readroom.app.evaluate(({ dialog }, filePath) => {
        dialog.showSaveDialog = async () => ({ canceled: false, filePath });
      }, file);
      expect(await call(page, 'compare.saveFigure', { volumeRunId, slice })).toEqual({ name });
      expect(readFileSync(file).toString('latin1').startsWith(magic)).toBe(true);
    }
    await readroom.app.evaluate(({ dialog }) => {
      dialog.showSaveDialog = async () => ({ canceled: true, filePath: '' });
    });
    expect(await call(page, 'compare.saveFigure', { volumeRunId, slice })).toBeNull();
  });

  it('compares the volume run with a slice run', async () => {
    const { points } = await call(page, 'compare.consistency', { runId: volumeRunId });
    const comparison = await call(page, 'compare.runs', { a: volumeRunId, b: points[0].runId });
    expect(comparison.samePixels).toBe(true);
    expect(comparison.steps[0].iou).toBeCloseTo(points[0].iou ?? -1, 9);
    expect(readroom.complaints).toEqual([]);
  });

  it('refuses without the images, with the remedy', async () => {
    const [study] = (await call(page, 'app.info', {})).open;
    await call(page, 'study.close', { studyId: study.studyId });
    await expect(call(page, 'compare.figure', { volumeRunId, slice: 60 })).rejects.toThrow('not open');
    await expect(call(page, 'compare.askSlices', { volumeRunId, every: 1 })).rejects.toThrow('not open');
  });
});
