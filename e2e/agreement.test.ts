/** Figures of agreement in the window against the reference computation (fixtures/reference/agreement, scikit-learn). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bringAxe, expectClean } from './harness/axe.ts';
import { describeWindow } from './harness/describe-window.ts';
import { seedReadings } from './harness/projects.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { patience } from './harness/window.ts';

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
