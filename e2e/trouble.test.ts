/** Files that are broken or mean harm: a clear message each, and a window that goes on working. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWindow } from './harness/describe-window.ts';
import { launchReadroom, type Readroom, root } from './harness/readroom.ts';
import { writeFolderWithBrokenFiles, writeMarkedPicture, writeZipBomb } from './harness/studies.ts';
import { giveToOpen, openPath, patience } from './harness/window.ts';

/** A checkpoint whose weights file announces a tensor that reaches far beyond its end. */
function writeLyingModel(folder: string): string {
  cpSync(join(root, 'fixtures', 'reference', 'models', 'tied-bf16'), folder, { recursive: true });
  const file = join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { data_offsets?: [number, number] }
  >;
  const lie = Object.values(header).find((tensor) => tensor.data_offsets);
  if (lie?.data_offsets) lie.data_offsets[1] += 1e12;
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([prefix, text, bytes.subarray(8 + length)]));
  return folder;
}

describeWindow('Trouble', () => {
  let readroom: Readroom;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'readroom-trouble-'));
    readroom = await launchReadroom();
  });
  afterAll(async () => {
    await readroom.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The window still opens and shows something. */
  async function expectAlive(name: string): Promise<void> {
    await openPath(readroom, writeMarkedPicture(join(folder, `${name}.png`)));
    expect(readroom.complaints).toEqual([]);
  }

  it('a folder with broken files among good ones: the good ones open, the others are named with the reason', async () => {
    const { page } = readroom;
    await openPath(readroom, writeFolderWithBrokenFiles(join(folder, 'mixed')));
    const study = page.getByTestId('study-item').first();
    expect(await study.getByTestId('series-item').count()).toBeGreaterThan(0);
    const problems = study.getByTestId('problems');
    if (!(await problems.isVisible())) await study.locator('summary').first().click();
    const said = await problems.innerText();
    expect(said).toMatch(/cut\.dcm/);
    expect(said).toMatch(/pretender\.dcm/);
    expect(said.split('\n').length).toBeGreaterThanOrEqual(4);
    await expectAlive('after-folder');
  });

  it('a zip bomb: refused with a message', async () => {
    const { app, page } = readroom;
    await giveToOpen(app, writeZipBomb(join(folder, 'bomb.zip')));
    const failure = page.getByTestId('open-failure');
    await failure.waitFor({ timeout: patience });
    expect(await failure.innerText()).toMatch(/overlap|too large|larger than/i);
    await expectAlive('after-bomb');
  });

  it('a model folder whose safetensors header lies: refused with a message', async () => {
    const { app, page } = readroom;
    const lying = writeLyingModel(join(folder, 'lying-model'));
    await app.evaluate(({ dialog }, chosen) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] });
    }, lying);
    await page.getByTestId('show-models').click();
    const before = await page.getByTestId('model-row').count();
    await page.getByTestId('add-model').click();
    const notice = page.getByTestId('notice').first();
    await notice.waitFor({ timeout: patience });
    expect(await notice.innerText()).toMatch(/safetensors/i);
    expect(await page.getByTestId('model-row').count()).toBe(before);
    await page.keyboard.press('Escape');
    await expectAlive('after-model');
  });
});
