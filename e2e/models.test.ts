/** Models in the window: adding a folder, converting it with progress, cancelling, resuming, asking with it, unloading. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeRandomCheckpoint } from '../src-main/checkpoint/random-checkpoint.ts';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { writeMarkedPicture } from './harness/studies.ts';
import { ask, ended, lastTrace, openPath, patience, recordRuns } from './harness/window.ts';

const embedded = join(root, 'resources', 'models', 'readroom-mini');

describeWindow('Models', () => {
  let readroom: Readroom;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-models-'));
    cpSync(embedded, join(folder, 'my-copy'), { recursive: true });
    // Large enough that a person could stop its conversion.
    mkdirSync(join(folder, 'large'));
    await writeRandomCheckpoint({
      out: join(folder, 'large'),
      tokenizerFrom: embedded,
      text: { num_hidden_layers: 4 },
    });
    readroom = await launchReadroom();
    await recordRuns(readroom.page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const row = (name: string): Locator => readroom.page.getByTestId('model-row').filter({ hasText: name });

  async function addModel(name: string): Promise<void> {
    await readroom.app.evaluate(
      ({ dialog }, chosen) => {
        dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] });
      },
      join(folder, name),
    );
    await readroom.page.getByTestId('add-model').click();
    await row(name).waitFor({ timeout: patience });
  }

  it('the list begins with the embedded model, marked as a demonstration', async () => {
    const { page } = readroom;
    await page.getByTestId('show-models').click();
    await row('readroom-mini').waitFor({ timeout: patience });
    expect(await row('readroom-mini').innerText()).toMatch(/demonstration.*synthetic/is);
    expect(await row('readroom-mini').getAttribute('data-chosen')).toBe('true');
  });

  it('a folder is added and chosen, with what its conversion would take', async () => {
    await addModel('large');
    await expect.poll(() => row('large').getAttribute('data-chosen'), { timeout: patience }).toBe('true');
    const said = await row('large').innerText();
    expect(said).toMatch(/\d+\.\d M parameters · \d+ MB/);
    expect(said).toMatch(/on disk/);
    expect(said).toMatch(/of memory/);
    expect(said).toMatch(/about \d+ s/);
  });

  it('a conversion shows how far it is; cancelled, it keeps what is done and offers to resume', async () => {
    const large = row('large');
    await large.getByRole('combobox').selectOption('fp32');
    await large.getByTestId('convert').click();
    const bar = large.getByRole('progressbar');
    const percent = () =>
      bar.evaluate((one) => 100 * (one as HTMLProgressElement).position, null, { timeout: 1_000 });
    await expect.poll(percent, { timeout: patience, interval: 20 }).toBeGreaterThan(66);
    await large.getByRole('button', { name: 'Cancel' }).click();
    await large.getByTestId('convert').filter({ hasText: 'Resume' }).waitFor({ timeout: patience });
    expect(await large.getByTestId('error-note').count()).toBe(0);
  });

  it('resumed, it goes on from there to the end', async () => {
    const { page } = readroom;
    // Whole files of the container are kept, the first three of four here: they are passed over at once.
    const second = page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let heard = 0;
          const stop = window.readroom.on('models.progress', ({ done, total }) => {
            if (++heard < 2) return;
            stop();
            resolve(done / total);
          });
        }),
    );
    await row('large').getByTestId('convert').click();
    expect(await second).toBeGreaterThan(0.55);
    await row('large')
      .getByText(/Ready: .*fp32/)
      .waitFor({ timeout: patience });
  });

  it('a folder that is taken off the list is gone from it, its files are not', async () => {
    await row('large')
      .getByRole('button', { name: /off the list/ })
      .click();
    await row('large').waitFor({ state: 'detached', timeout: patience });
    await addModel('large');
    expect(await row('large').innerText()).toMatch(/Ready: .*fp32/);
    await row('large')
      .getByRole('button', { name: /off the list/ })
      .click();
    await row('large').waitFor({ state: 'detached', timeout: patience });
  });

  it('a copy of the embedded model works as the checkpoint, with the same words', async () => {
    const { page } = readroom;
    await row('readroom-mini').getByRole('radio').check();
    await page.keyboard.press('Escape');
    await openPath(readroom, writeMarkedPicture(join(folder, 'picture.png')));
    const question = ['What type of lesion is shown?', ['solid lesion', 'ring lesion']] as const;
    await ask(page, ...question);
    await ended(page, 1);
    const bundled = await lastTrace(page);
    await page.getByTestId('show-models').click();
    await addModel('my-copy');
    await expect.poll(() => row('my-copy').getAttribute('data-chosen'), { timeout: patience }).toBe('true');
    await page.keyboard.press('Escape');
    await ask(page, ...question);
    await ended(page, 2);
    const copy = await lastTrace(page);
    expect(copy.events.at(-1)).toMatchObject({ type: 'run-finished', stopReason: 'end-of-turn' });
    const words = (trace: typeof copy) =>
      trace.events.flatMap((one) => (one.type === 'token' ? one.text : []));
    expect(words(copy).join('')).toBe(words(bundled).join(''));
    expect(copy.events[0]).toMatchObject({ type: 'run-started', model: { name: 'my-copy' } });
  });

  it('the panel says what is loaded and on what; unloading gives it back', async () => {
    const { page } = readroom;
    await page.getByTestId('show-models').click();
    const facts = page.getByTestId('engine-facts');
    await expect.poll(() => facts.innerText(), { timeout: patience }).toMatch(/my-copy runs on .*memory/is);
    await page.getByTestId('unload').click();
    await facts.getByText(/Nothing is loaded/).waitFor({ timeout: patience });
    expect(readroom.complaints).toEqual([]);
  });
});
