/** Ways in and out of the program: dropped files, 'Open with' by a second start, a trace saved to disk. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseTrace, summarizeEvents } from '../src-contract/trace.ts';
import { describeWindow } from './harness/describe-window.ts';
import {
  chromiumSwitches,
  electronPath,
  launchEnvironment,
  launchReadroom,
  type Readroom,
  root,
} from './harness/readroom.ts';
import { writeMarkedDicom, writeMarkedPicture } from './harness/studies.ts';
import { ask, ended, patience } from './harness/window.ts';

describeWindow('Ways in and out', () => {
  let readroom: Readroom;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-files-'));
    // 'Open with' on a program that does not run yet.
    readroom = await launchReadroom({ open: [writeMarkedPicture(join(folder, 'first.png'))] });
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a file named at the start is opened', async () => {
    await readroom.page
      .getByTestId('study-item')
      .filter({ hasText: 'first.png' })
      .waitFor({ timeout: patience });
    await readroom.page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
  });

  it('files and folders dropped on the window are opened', async () => {
    const { page } = readroom;
    const files = [writeMarkedDicom(join(folder, 'dropped'))];
    const debug = await page.context().newCDPSession(page);
    const data = { items: [], files, dragOperationsMask: 1 };
    const at = { x: 600, y: 400, data };
    await debug.send('Input.dispatchDragEvent', { type: 'dragEnter', ...at });
    await debug.send('Input.dispatchDragEvent', { type: 'dragOver', ...at });
    await page.locator('.window-drop').waitFor({ timeout: patience });
    await debug.send('Input.dispatchDragEvent', { type: 'drop', ...at });
    await page.locator('.window-drop').waitFor({ state: 'detached', timeout: patience });
    await page.getByTestId('study-item').filter({ hasText: 'dropped' }).waitFor({ timeout: patience });
    expect(await page.getByTestId('study-item').count()).toBe(2);
  });

  it("'Open with' while the program runs: a second start hands its file over and ends", async () => {
    const { page, userData } = readroom;
    const file = writeMarkedPicture(join(folder, 'second start.png'));
    const second = spawn(
      await electronPath(),
      ['.', `--user-data-dir=${userData}`, ...chromiumSwitches, file],
      { cwd: root, env: await launchEnvironment(), stdio: 'ignore' },
    );
    const code = await new Promise<number | null>((resolve) => second.once('exit', resolve));
    expect(code).toBe(0);
    await page
      .getByTestId('study-item')
      .filter({ hasText: 'second start.png' })
      .waitFor({ timeout: patience });
    const windows = await readroom.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    expect(windows).toBe(1);
  });

  it('a trace is saved where the dialog says, whole, and can be read back', async () => {
    const { app, page } = readroom;
    await ask(page, 'What type of lesion is shown?', ['solid lesion', 'ring lesion']);
    await ended(page, 1);
    const file = join(folder, 'saved.trace.json');
    await app.evaluate(({ dialog }, filePath) => {
      dialog.showSaveDialog = async () => ({ canceled: false, filePath });
    }, file);
    const turn = page.getByTestId('turn').first();
    await turn.getByTestId('export-trace').click();
    await page.getByTestId('notice').filter({ hasText: 'saved.trace.json' }).waitFor({ timeout: patience });
    const trace = parseTrace(readFileSync(file, 'utf8'), file);
    expect(trace.question).toBe('What type of lesion is shown?');
    expect(trace.options).toMatchObject({ A: 'solid lesion', B: 'ring lesion' });
    const { finished } = summarizeEvents(trace.events);
    expect(finished?.response).toContain((await turn.getByTestId('answer').innerText()).trim());
  });

  it('a dialog that is closed saves nothing and says nothing; a folder that is not there is said', async () => {
    const { app, page } = readroom;
    await page.getByTestId('notice').getByRole('button').first().click();
    await app.evaluate(({ dialog }) => {
      dialog.showSaveDialog = async () => ({ canceled: true, filePath: '' });
    });
    const button = page.getByTestId('turn').first().getByTestId('export-trace');
    await button.click();
    await app.evaluate(
      ({ dialog }, filePath) => {
        dialog.showSaveDialog = async () => ({ canceled: false, filePath });
      },
      join(folder, 'no such folder', 'x.json'),
    );
    await button.click();
    const notices = page.getByTestId('notice');
    await notices.first().waitFor({ timeout: patience });
    expect(await notices.count()).toBe(1);
    expect(await notices.first().innerText()).toMatch(/x\.json/);
    expect(readroom.complaints).toEqual([]);
  });
});
