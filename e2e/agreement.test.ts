/** Figures of agreement in the window against the reference computation (fixtures/reference/agreement, scikit-learn). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeLargeProject } from '../src-main/storage/project/testing/large-project.ts';
import { bringAxe, expectClean } from './harness/axe.ts';
import { describeWindow } from './harness/describe-window.ts';
import { seedConflict, seedReadings } from './harness/projects.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { chooseMenu, patience } from './harness/window.ts';

interface CohenCase {
  readonly name: string;
  readonly a: number[];
  readonly b: number[];
  readonly kappa: number;
}

describeWindow('Agreement', () => {
  let readroom: Readroom;
  const userData = mkdtempSync(join(tmpdir(), 'readroom-agreement-'));
  const file = join(root, 'fixtures', 'reference', 'agreement', 'cohen.json');
  const table = JSON.parse(readFileSync(file, 'utf8')) as CohenCase[] | { rows: CohenCase[] };
  const row = (Array.isArray(table) ? table : table.rows).find(({ name }) => name === 'even') as CohenCase;
  beforeAll(async () => {
    await seedReadings(userData, row.a, row.b);
    readroom = await launchReadroom({ userData });
    await bringAxe(readroom.page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(userData, { recursive: true, force: true });
  });

  it("Cohen's kappa is scikit-learn's", async () => {
    const { page } = readroom;
    await page.getByTestId('side').waitFor({ timeout: patience });
    // Whoever has not read may not see what others have said: the readers are not blinded here.
    await page.evaluate(() =>
      window.readroom.call('review.edit', {
        edits: [{ kind: 'blinding', before: null, after: { others: false, model: false } }],
      }),
    );
    await page.keyboard.press('Control+Shift+A');
    await page.getByText('Figures', { exact: true }).click();
    const pair = page.getByTestId('agreement-pair').first();
    await pair.waitFor({ timeout: patience });
    expect(await pair.getByTestId('cohen').innerText()).toContain(row.kappa.toFixed(2));
    expect(await pair.innerText()).toMatch(/Ada and Ben/i);
    await expectClean(page);
    const answer = await page.evaluate(async () => {
      const cases = { text: '', modalities: [], answer: null, reviewed: 'any', disagreement: false } as const;
      const filter = { ...cases, modalities: [], assignedTo: null, removed: false };
      return window.readroom.call('project.agreement', { filter });
    });
    if (!answer.ok) throw new Error(answer.error.message);
    expect(answer.value.pairs[0]?.cohen.value).toBeCloseTo(row.kappa, 12);
  });
});

describeWindow('Taking in a copy', () => {
  let readroom: Readroom;
  let copy: string;
  const userData = mkdtempSync(join(tmpdir(), 'readroom-merge-'));
  beforeAll(async () => {
    copy = await seedConflict(userData, 'seen here', 'seen there');
    readroom = await launchReadroom({ userData });
    await bringAxe(readroom.page);
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(userData, { recursive: true, force: true });
  });

  it('what is new comes in, what was changed on both sides is told', async () => {
    const { app, page } = readroom;
    await page.getByTestId('side').waitFor({ timeout: patience });
    await app.evaluate(({ dialog }, path) => {
      const answer = { canceled: false, filePaths: [path] };
      dialog.showOpenDialog = (() => Promise.resolve(answer)) as typeof dialog.showOpenDialog;
    }, copy);
    await chooseMenu(app, 'merge-project');
    await page.getByTestId('merged').waitFor({ timeout: patience });
    expect(await page.getByTestId('merged-counts').innerText()).toContain('1 case, 1 run');
    const conflict = await page.getByTestId('merge-conflict').innerText();
    expect(conflict).toContain('Comment on a run');
    expect(conflict).toContain('seen here');
    expect(conflict).toContain('seen there');
    await expectClean(page);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+l');
    await expect.poll(() => page.getByTestId('case-item').count()).toBe(2);
    expect(readroom.complaints).toEqual([]);
  });

  it('what takes long is stopped with a button, and nothing of it came in', async () => {
    const { app, page } = readroom;
    const large = join(userData, 'large.readroom');
    await writeLargeProject(large, { readerId: 'carla', name: 'Carla', role: 'reader' }, 1_500);
    await app.evaluate(({ dialog }, path) => {
      const answer = { canceled: false, filePaths: [path] };
      dialog.showOpenDialog = (() => Promise.resolve(answer)) as typeof dialog.showOpenDialog;
    }, large);
    const runs = () => page.evaluate(() => window.readroom.call('project.view', {}));
    const before = await runs();
    // The list of studies shows it as well: a merge can be begun from the menu.
    await page.getByTestId('list').getByText('Studies').click();
    await chooseMenu(app, 'merge-project');
    await page.getByTestId('project-stop').waitFor({ timeout: patience });
    await expectClean(page);
    await page.getByTestId('project-stop').click();
    await page.getByTestId('project-underway').waitFor({ state: 'hidden', timeout: patience });
    await page.getByTestId('list').getByText('Cases').click();
    expect(await runs()).toEqual(before);
    expect(await page.getByTestId('merged').count()).toBe(0);
    await expect.poll(() => page.getByTestId('case-item').count()).toBe(2);
    expect(readroom.complaints).toEqual([]);
  });
});
