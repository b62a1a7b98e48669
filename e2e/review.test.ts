/** A run of the project is read, corrected, taken back, closed and opened again, by one reader and by several. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { emptyReview, type Review } from '../src-contract/review.ts';
import type { SourceBox } from '../src-contract/source-box.ts';
import { bringAxe, expectClean } from './harness/axe.ts';
import { describeWindow } from './harness/describe-window.ts';
import { sampleInput, scriptedRun, seedLibrary, threeSteps } from './harness/projects.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { patience, settle } from './harness/window.ts';

const { runId } = threeSteps;

/** What the project holds of the reader who is chosen. */
async function ownReview(page: Page): Promise<Review> {
  const answer = await page.evaluate((id) => window.readroom.call('review.get', { runId: id }), runId);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.own;
}

const saved = (page: Page) =>
  page.locator('[data-testid=saved][data-state=saved]').waitFor({ timeout: patience });

const step = (page: Page, n: number) => page.locator(`[data-testid=review-step][data-step="${n}"]`);

async function openQueue(page: Page): Promise<void> {
  await page.getByTestId('side').waitFor({ timeout: patience });
  await page.keyboard.press('Control+r');
  await page.getByTestId('review-panel').waitFor();
  await page.keyboard.press('Shift+N');
  await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
  await page.getByTestId('review-step').or(page.getByTestId('blind-note')).first().waitFor();
}

/** Without the clock, which goes on. */
const timeless = ({ reading, ...rest }: Review) => ({ ...rest, status: reading?.status ?? null });

describeWindow('Review', () => {
  let readroom: Readroom;
  let page: Page;
  const userData = mkdtempSync(join(tmpdir(), 'readroom-review-'));
  const launch = async (): Promise<void> => {
    readroom = await launchReadroom({ userData });
    page = readroom.page;
    await bringAxe(page);
  };
  beforeAll(async () => {
    await seedLibrary(userData, [await scriptedRun(await sampleInput(), threeSteps)]);
    await launch();
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(userData, { recursive: true, force: true });
  });

  it('three steps with the keyboard only: accepted, rejected with reasons, corrected; words and answer amended', async () => {
    await openQueue(page);
    await expectClean(page);
    await page.keyboard.press('a');
    await expect.poll(() => step(page, 0).getAttribute('data-decision')).toBe('accept');
    expect(await step(page, 1).getAttribute('aria-current')).toBe('true');

    await page.keyboard.press('r');
    await page.getByTestId('reject-form').waitFor();
    await expectClean(page);
    await page.keyboard.press('5');
    await page.keyboard.press('1');
    await page.keyboard.press('1');
    for (let n = 0; n < 8; n++) await page.keyboard.press('Tab');
    await page.keyboard.type('air, a c e j');
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => step(page, 1).getAttribute('data-decision')).toBe('reject');

    // The third: five voxels to the patient's left and one to the back, as the picture lies.
    const before = (await page.evaluate(
      (id) => window.readroom.call('project.trace', { runId: id }),
      runId,
    )) as {
      value: { events: { type: string; step?: number; located?: { sourceVoxel: SourceBox } }[] };
    };
    const model = before.value.events.find((event) => event.type === 'box' && event.step === 2)?.located
      ?.sourceVoxel;
    await page.keyboard.press('c');
    await page.getByTestId('box-handle').first().waitFor();
    await expectClean(page);
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => step(page, 2).getAttribute('data-decision'), { timeout: 10_000 }).toBe('correct');
    await saved(page);
    const box = (await ownReview(page)).boxes[2] as SourceBox;
    for (const axis of [0, 1, 2] as const) {
      const by = [5, 1, 0][axis] as number;
      expect(box.min[axis]).toBeCloseTo((model?.min[axis] ?? 0) + by, 6);
      expect(box.max[axis]).toBeCloseTo((model?.max[axis] ?? 0) + by, 6);
    }
    expect(await step(page, 2).getByTestId('box-measures').innerText()).toMatch(/IoU 0\.\d\d/);

    await page.keyboard.press('e');
    await page.getByTestId('sentence-field').fill('while its centre is a little to the left');
    await page.keyboard.press('Control+Enter');
    await step(page, 2).getByTestId('amended-sentence').waitFor();
    await page.keyboard.press('w');
    await page.getByTestId('answer-form').waitFor();
    await page.keyboard.press('b');
    await page.keyboard.press('Enter');
    await page.getByTestId('amended-answer').waitFor();
    expect(await page.getByTestId('answer-card').locator('del').innerText()).toBe('A. right lung');

    await page.keyboard.press('Shift+F');
    await page.getByTestId('reading-done').waitFor();
    const own = await ownReview(page);
    expect(own.verdicts[0]).toEqual({ decision: 'accept', reasons: [], comment: '' });
    expect(own.verdicts[1]).toEqual({
      decision: 'reject',
      reasons: ['nothing-there'],
      comment: 'air, a c e j',
    });
    expect(own.verdicts[2]?.decision).toBe('correct');
    expect(own.sentences[2]).toBe('while its centre is a little to the left');
    expect(own.answer).toEqual({ letter: 'B', text: '' });
    expect(own.reading?.status).toBe('done');
    expect(own.reading?.activeMs).toBeGreaterThan(500);
    expect(await page.getByTestId('review-progress').innerText()).toContain('3 of 3');
    await expectClean(page);
  });

  it('a cuboid is corrected in the coronal plane with the mouse: only its slices change, by whole ones', async () => {
    await page.getByTestId('reopen').click();
    await page.getByTestId('layout-mpr').click();
    await page.locator('[data-testid=viewport-2][data-slice]').waitFor({ timeout: patience });
    await step(page, 0).locator('.chip').click();
    await page.keyboard.press('c');
    await page.keyboard.press('z');
    await settle(page);
    const handles = page.locator('[data-testid=overlay-2] [data-testid=box-handle]');
    await expect.poll(() => handles.count(), { timeout: patience }).toBe(8);
    const outline = page.locator('[data-testid=overlay-2] .in-hand [data-testid=reader-box]');
    const frame = await outline.boundingBox();
    const trace = await page.evaluate((id) => window.readroom.call('project.trace', { runId: id }), runId);
    if (!trace.ok || !frame) throw new Error('no trace, or no box on the coronal plane');
    const event = trace.value.events.find((one) => one.type === 'box' && one.step === 0);
    const model = event?.type === 'box' ? event.located.sourceVoxel : null;
    if (!model) throw new Error('no box');
    const perSlice = frame.height / (model.max[2] - model.min[2]);
    // The upper edge is the one to the head: five slices up, and a little sideways, which must not count.
    const [x, y] = [frame.x + frame.width / 2, frame.y];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 6, y - 2 * perSlice, { steps: 4 });
    await page.mouse.move(x + 6, y - 5 * perSlice, { steps: 4 });
    const reading = page.locator('[data-testid=overlay-2] [data-testid=box-reading]');
    expect(await reading.textContent()).toMatch(/slices 0\.\d\d/);
    // In the plane that is worked in, and in no other.
    expect(await page.locator('[data-testid=box-reading]').count()).toBeGreaterThan(1);
    expect(await page.locator('[data-testid=box-reading]:visible').count()).toBe(1);
    expect(await reading.isVisible()).toBe(true);
    await page.mouse.up();
    await expect.poll(() => step(page, 0).getAttribute('data-decision')).toBe('correct');
    await saved(page);
    const box = (await ownReview(page)).boxes[0] as SourceBox;
    const rose = box.max[2] - model.max[2];
    const sank = model.min[2] - box.min[2];
    // Feet to head is up on the screen, whichever way the file's slices run.
    expect(Math.max(rose, sank)).toBeGreaterThan(4.4);
    expect(Math.max(rose, sank)).toBeLessThan(5.6);
    expect(Math.min(rose, sank)).toBeCloseTo(0, 9);
    const moved = rose > sank ? box.max[2] : box.min[2];
    expect(Math.abs(moved % 1)).toBe(0.5);
    for (const axis of [0, 1] as const) {
      expect(box.min[axis]).toBeCloseTo(model.min[axis], 9);
      expect(box.max[axis]).toBeCloseTo(model.max[axis], 9);
    }
    // One drag was one change.
    await page.keyboard.press('Control+z');
    await expect.poll(async () => (await ownReview(page)).boxes[0] ?? null).toBeNull();
    await page.keyboard.press('Control+Shift+Z');
    await expect.poll(async () => (await ownReview(page)).boxes[0]).toEqual(box);
  });

  it('Escape in mid-drag leaves the box as it was', async () => {
    const before = await ownReview(page);
    const frame = await page
      .locator('[data-testid=overlay-0] .in-hand [data-testid=reader-box]')
      .boundingBox();
    if (!frame) throw new Error('no box in the axial plane');
    const [x, y] = [frame.x + frame.width / 2, frame.y + frame.height / 2];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 10, { steps: 3 });
    await page.keyboard.press('Escape');
    await page.mouse.move(x + 60, y + 10, { steps: 3 });
    await page.mouse.up();
    await settle(page);
    expect(timeless(await ownReview(page))).toEqual(timeless(before));
  });

  it('a box that the model missed is drawn, named and related to a sentence', async () => {
    await step(page, 1).locator('.chip').click();
    await page.keyboard.press('b');
    const pane = await page.getByTestId('viewport-0').boundingBox();
    if (!pane) throw new Error('no pane');
    const [x, y] = [pane.x + pane.width * 0.45, pane.y + pane.height * 0.6];
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 40, y + 30, { steps: 5 });
    await page.mouse.up();
    await page.getByTestId('label-field').fill('small nodule');
    await page.keyboard.press('Enter');
    await saved(page);
    const [added] = Object.values((await ownReview(page)).added);
    expect(added?.label).toBe('small nodule');
    expect(added?.part).toBe(1);
    expect((added?.box.max[2] ?? 0) - (added?.box.min[2] ?? 0)).toBe(1);
    await expectClean(page);
  });

  it('words that were not kept are there again: after another step, another panel and a reload', async () => {
    const marks = (n: number) => step(page, n).getByTestId('draft-mark');
    await step(page, 1).locator('.chip').click();
    await page.keyboard.press('e');
    await page.getByTestId('sentence-field').fill('the air beside it');
    await page.keyboard.press('Escape');
    await page.getByTestId('sentence-field').waitFor({ state: 'hidden' });
    expect(await marks(1).innerText()).toBe('Unsaved amendment');
    await step(page, 0).locator('.chip').click();
    await page.keyboard.press('r');
    await page.keyboard.press('2');
    await page.getByTestId('reject-comment').fill('too low by a rib');
    await page.getByTestId('run-comment').fill('a hard one');
    await page.getByText('Questions', { exact: true }).click();
    await page.getByTestId('review-panel').waitFor({ state: 'hidden' });
    const before = await ownReview(page);

    await page.reload();
    await bringAxe(page);
    await openQueue(page);
    expect(await marks(0).innerText()).toBe('Unsaved rejection');
    expect(await marks(1).innerText()).toBe('Unsaved amendment');
    await expectClean(page);
    await marks(0).click();
    expect(await page.getByTestId('reject-comment').inputValue()).toBe('too low by a rib');
    expect(await page.locator('.reasons input:checked').count()).toBe(1);
    await expectClean(page);
    await page.getByTestId('draft-discard').click();
    await page.getByTestId('reject-form').waitFor({ state: 'hidden' });
    await marks(0).waitFor({ state: 'hidden' });
    const own = await ownReview(page);
    expect(own.verdicts[0]).toEqual(before.verdicts[0]);
    expect(own.sentences[1]).toBeUndefined();

    await marks(1).click();
    expect(await page.getByTestId('sentence-field').inputValue()).toBe('the air beside it');
    await page.keyboard.type(', kept');
    await page.keyboard.press('Control+Enter');
    await step(page, 1).getByTestId('amended-sentence').waitFor();
    await marks(1).waitFor({ state: 'hidden' });
    await saved(page);
    expect((await ownReview(page)).sentences[1]).toBe('the air beside it, kept');
    // Leaving the comment's field kept it.
    expect((await ownReview(page)).comment).toBe('a hard one');
    expect(await page.getByTestId('draft-mark').count()).toBe(0);
    expect(await page.getByTestId('comment-draft').count()).toBe(0);
  });

  it('everything is taken back, made again, and there after a restart', async () => {
    const full = timeless(await ownReview(page));
    const canUndo = () =>
      page.evaluate(async () => {
        const view = await window.readroom.call('project.view', {});
        return view.ok ? view.value.undo : null;
      });
    await page.locator('[data-testid=viewport-0]').focus();
    let changes = 0;
    while ((await canUndo())?.undo) {
      await page.keyboard.press('Control+z');
      changes++;
      const left = changes;
      expect(left).toBeLessThan(40);
      await page.waitForTimeout(120);
    }
    const { readerId } = await ownReview(page);
    // The time that was spent is not taken back.
    const blank = { ...timeless(emptyReview(runId, readerId)), status: 'reading' };
    expect(timeless(await ownReview(page))).toEqual(blank);
    expect(await page.getByTestId('review-progress').innerText()).toContain('0 of 3');
    while ((await canUndo())?.redo) {
      await page.keyboard.press('Control+Shift+Z');
      await page.waitForTimeout(120);
    }
    expect(timeless(await ownReview(page))).toEqual(full);

    await page.keyboard.press('Shift+F');
    await page.getByTestId('reading-done').waitFor();
    expect(readroom.complaints).toEqual([]);
    await readroom.close();
    await launch();
    await page.getByTestId('side').waitFor({ timeout: patience });
    await page.keyboard.press('Control+l');
    await page.getByTestId('case-item').first().click();
    await page.getByTestId('run-item').first().locator('.run-open').click();
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    await page.getByTestId('reading-done').waitFor();
    expect(timeless(await ownReview(page))).toEqual({ ...full, status: 'done' });
    expect(await step(page, 0).getByTestId('box-measures').innerText()).toMatch(/IoU/);
    await expectClean(page);
  });

  it('without the model: the run replays in the chat', async () => {
    await page.getByText('Questions', { exact: true }).click();
    const turn = page.getByTestId('turn').first();
    await turn.waitFor();
    expect(await turn.getByTestId('step-chip').count()).toBe(3);
    await turn.getByTestId('replay').click();
    await expect.poll(() => turn.getByTestId('step-chip').count(), { timeout: patience }).toBe(3);
    expect(await page.getByTestId('engine-status').getAttribute('data-status')).toBe('stopped');
    await page.getByText('Review', { exact: true }).first().click();
  });

  it('a second reader is blinded until finished, then an adjudicator settles what differs', async () => {
    const addReader = async (name: string, role: string): Promise<void> => {
      await page.getByTestId('reader').selectOption('+');
      await page.getByTestId('reader-name').fill(name);
      await page.getByTestId('reader-role').selectOption(role);
      await page.getByTestId('reader-add').click();
      await page.getByTestId('readers-panel').getByText(name, { exact: true }).click();
      await expectClean(page);
      await page.keyboard.press('Escape');
      await page.getByTestId('readers-panel').waitFor({ state: 'hidden' });
    };
    await addReader('Ben', 'reader');
    await expect.poll(() => step(page, 0).getAttribute('data-decision')).toBe('open');
    expect(await page.getByTestId('hidden-note').innerText()).toMatch(/hidden/);
    expect(await page.getByTestId('others').count()).toBe(0);
    expect(await page.locator('[data-testid=reader-box]').count()).toBe(0);
    await step(page, 0).getByTestId('step-accept').click();
    await step(page, 1).getByTestId('step-accept').click();
    await step(page, 2).getByTestId('step-accept').click();
    await saved(page);
    await page.getByTestId('finish').click();
    await page.getByTestId('reading-done').waitFor();
    await page.getByTestId('others').first().waitFor();
    expect(await page.locator('[data-testid=reader-box]').count()).toBeGreaterThan(0);
    await expectClean(page);

    await addReader('Cleo', 'adjudicator');
    await page.keyboard.press('Control+Shift+A');
    await page.getByTestId('disagreement').first().waitFor();
    await expectClean(page);
    const open = await page.locator('[data-testid=disagreement][data-settled=false]').count();
    expect(open).toBeGreaterThan(0);
    await page.locator('[data-testid=disagreement][data-settled=false]').first().click();
    await page.getByTestId('others').first().waitFor();
    // The next one by its key; the box that only the first reader added is there to be taken over.
    await page.keyboard.press('Shift+D');
    await page.getByTestId('others-on-run').getByTestId('adopt').click();
    await page.getByTestId('added-card').waitFor();
    for (let n = 0; n < 3; n++) await step(page, n).getByTestId('take-over').first().click();
    await saved(page);
    await page.getByTestId('finish').click();
    await page.getByTestId('reading-done').waitFor();
    await page.keyboard.press('Control+Shift+A');
    await page.getByTestId('disagreement').first().waitFor();
    const stillOpen = await page.locator('[data-testid=disagreement][data-settled=false]').count();
    expect(stillOpen).toBeLessThan(open);
    await page.keyboard.press('Escape');
  });

  it('a case is renamed, noted, assigned and found again by its note', async () => {
    await page.keyboard.press('Control+l');
    if ((await page.getByTestId('case-runs').count()) === 0)
      await page.getByTestId('case-item').first().click();
    await page.getByTestId('case-rename').click();
    await page.getByTestId('case-title-field').fill('Right lung, solid');
    await page.keyboard.press('Enter');
    await page.getByTestId('case-item').filter({ hasText: 'Right lung, solid' }).waitFor();
    await page.getByTestId('case-note').click();
    await page.getByTestId('case-note-field').fill('show to the students');
    // Left before it was kept: it waits, also while the case is folded.
    await page.keyboard.press('Escape');
    await page.getByTestId('case-item').first().click();
    await page.getByTestId('case-runs').waitFor({ state: 'hidden' });
    await page.getByTestId('case-item').first().click();
    await page.getByTestId('case-runs').getByTestId('draft-mark').click();
    expect(await page.getByTestId('case-note-field').inputValue()).toBe('show to the students');
    await page.keyboard.press('Control+Enter');
    await page.getByTestId('case-runs').getByTestId('draft-mark').waitFor({ state: 'hidden' });
    await page.getByTestId('case-note').filter({ hasText: 'students' }).waitFor();
    await page.locator('.assign summary').click();
    await page.locator('.assign-list').getByText('Ben').click();
    await page.locator('.case-item .reader-dot').first().waitFor();
    await page.getByTestId('cases-search').fill('no such case');
    await page.getByTestId('cases-empty').waitFor();
    await page.getByTestId('cases-search').fill('students');
    await page.getByTestId('case-item').first().waitFor();
    await expectClean(page);
    await page.getByTestId('cases-search').fill('');
  });

  it('the history of the case says who did what, and its chain is whole', async () => {
    await page.keyboard.press('Control+l');
    if ((await page.getByTestId('case-history').count()) === 0)
      await page.getByTestId('case-item').first().click();
    await page.getByTestId('case-history').click();
    await page.getByTestId('history-entry').first().waitFor();
    expect(await page.getByTestId('chain').innerText()).toMatch(/whole/);
    const words = await page.getByTestId('history').innerText();
    expect(words).toMatch(/Step 2 rejected/);
    expect(words).toMatch(/Ben/);
    await expectClean(page);
    await page.keyboard.press('Escape');
    expect(readroom.complaints).toEqual([]);
  });
});
