/**
 * `node scripts/screenshots.mjs`: the pictures of docs/images, made with the real window, the bundled case and the
 * embedded model. On Linux without a display run it under xvfb-run.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { _electron } from 'playwright-core';
import { resolveElectron } from './electron-runtime.mjs';
import { ensureBuild, ensureDependencies, root } from './ensure.mjs';

ensureDependencies();
ensureBuild();
const folder = join(root, 'docs', 'images');
mkdirSync(folder, { recursive: true });
const userData = mkdtempSync(join(tmpdir(), 'readroom-pictures-'));
const flags = process.platform === 'linux' ? ['--enable-unsafe-swiftshader'] : [];
if (process.getuid?.() === 0) flags.push('--no-sandbox');

const app = await _electron.launch({
  executablePath: await resolveElectron(),
  args: [root, ...flags, `--user-data-dir=${userData}`],
  timeout: 120_000,
});
try {
  const page = await app.firstWindow();
  await page.setViewportSize({ width: 1440, height: 900 });
  const picture = (name) => page.screenshot({ path: join(folder, `${name}.png`) });
  await page.getByTestId('open-sample').first().click();
  await page.getByTestId('suggestion').first().click();
  await page.getByTestId('answer').first().waitFor({ timeout: 180_000 });
  // The last slices are drawn after the answer: the picture shall show them.
  await page.waitForTimeout(4000);
  await picture('answer');
  await page.getByTestId('layout-mpr').click();
  await page.waitForTimeout(6000);
  await picture('planes');
  // A review: a cuboid that is being corrected, in all planes.
  await page.getByTestId('review-run').first().click();
  await page.getByTestId('review-step').first().waitFor();
  await page.getByTestId('layout-1x1').click();
  await page.waitForTimeout(1500);
  await page.keyboard.press('c');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('ArrowUp');
  await page.getByTestId('layout-mpr').click();
  await page.waitForTimeout(6000);
  await page.keyboard.press('z');
  await page.waitForTimeout(1500);
  await picture('review');
  // 2D beside 3D, in the light.
  await page.keyboard.press('Escape');
  await page.getByTestId('layout-1x1').click();
  await page.getByTestId('theme-toggle').click();
  await page.keyboard.press('Control+l');
  await page.getByTestId('case-item').first().click();
  await page.getByTestId('run-slices').first().click();
  await page.getByTestId('consistency').waitFor({ timeout: 180_000 });
  await page.locator('.figure').waitFor({ timeout: 60_000 });
  await page.waitForTimeout(3000);
  await picture('compare');
  await page.getByText('Questions', { exact: true }).click();
  await page.getByText('Studies', { exact: true }).click();
  await page.getByTestId('layout-mpr').click();
  await page.waitForTimeout(4000);
  await picture('light');
} finally {
  await app.close();
  rmSync(userData, { recursive: true, force: true });
}
