/** Exporting from the window: the dialog, a real process, pages printed by Electron, what was left out, stopping. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTrace } from '../src-contract/trace.ts';
import { launchReadroom, type Readroom } from './harness/readroom.ts';
import { chooseMenu, ended, patience } from './harness/window.ts';

let readroom: Readroom;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-e2e-export-'));
  readroom = await launchReadroom();
  const { page } = readroom;
  await page.getByTestId('open-sample-centre').click();
  await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
  await page.getByTestId('suggestion').first().click();
  await page.getByTestId('turn').waitFor({ timeout: patience });
  await ended(page, 1);
  await page.waitForFunction(
    async () => {
      const answer = await window.readroom.call('project.view', {});
      return answer.ok && answer.value.counts.runs === 1;
    },
    undefined,
    { timeout: patience },
  );
});
afterAll(async () => {
  await readroom?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the folder dialog answers from now on; null: it is closed. */
async function answerDialog(answer: string | null): Promise<void> {
  await readroom.app.evaluate(({ dialog }, chosen) => {
    dialog.showOpenDialog = async () => ({
      canceled: chosen === null,
      filePaths: chosen === null ? [] : [chosen],
    });
  }, answer);
}

async function choose(formats: readonly string[]): Promise<void> {
  const { page } = readroom;
  for (const box of await page.locator('[data-testid^=export-format-]').all()) {
    const name = ((await box.getAttribute('data-testid')) ?? '').replace('export-format-', '');
    await box.setChecked(formats.includes(name));
  }
}

describe('export', () => {
  it('nothing happens when the folder dialog is closed', async () => {
    const { page, app } = readroom;
    await chooseMenu(app, 'show-export');
    await page.getByTestId('export-panel').waitFor();
    expect(await page.getByTestId('export-scope-run').isChecked()).toBe(true);
    await choose(['csv']);
    await answerDialog(null);
    await page.getByTestId('export-start').click();
    await page.getByTestId('export-start').waitFor();
    expect(await page.getByTestId('error-note').count()).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('writes what was chosen, prints the report, and says what was left out', async () => {
    const { page } = readroom;
    await choose(['trace', 'csv', 'nifti', 'pdf', 'dicom-sr']);
    await answerDialog(folder);
    await page.getByTestId('export-start').click();
    const report = page.getByTestId('export-report');
    await report.waitFor({ timeout: patience });
    expect(await report.innerText()).toContain('1 run exported into 5 files');
    expect(await report.innerText()).toContain('DICOM SR (TID 1500): The source is no DICOM');
    const [made] = readdirSync(folder);
    expect(made).toMatch(/^Readroom export \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d$/);
    const out = join(folder, made);
    expect(readdirSync(out).sort()).toEqual(['csv', 'nifti', 'pdf', 'trace']);
    const only = (name: string) => join(out, name, readdirSync(join(out, name))[0]);
    expect(parseTrace(readFileSync(only('trace'), 'utf8')).synthetic).toBe(true);
    const pdf = readFileSync(only('pdf'));
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.length).toBeGreaterThan(10_000);
    expect(readFileSync(only('csv'), 'utf8')).not.toContain('thorax-ct');
    await page.keyboard.press('Escape');
    await page.getByTestId('export-panel').waitFor({ state: 'hidden' });
  });

  it('a folder that can not be written to is told, and nothing is left', async () => {
    const { page, app } = readroom;
    await chooseMenu(app, 'show-export');
    await choose(['csv']);
    const before = readdirSync(folder, { recursive: true }).length;
    const file = readdirSync(folder, { recursive: true, withFileTypes: true }).find((entry) =>
      entry.isFile(),
    );
    await answerDialog(join(file?.parentPath ?? '', file?.name ?? ''));
    await page.getByTestId('export-start').click();
    const note = page.getByTestId('error-note');
    await note.waitFor({ timeout: patience });
    expect(await note.innerText()).toContain('Choose a folder you may write to.');
    expect(readdirSync(folder, { recursive: true })).toHaveLength(before);
    await page.keyboard.press('Escape');
  });

  it('nobody complained', () => {
    expect(readroom.complaints).toEqual([]);
  });
});
