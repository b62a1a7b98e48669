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
  await page.getByTestId('theme-toggle').click();
  await page.waitForTimeout(1000);
  await picture('light');
} finally {
  await app.close();
  rmSync(userData, { recursive: true, force: true });
}
