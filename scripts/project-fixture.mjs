/**
 * `node scripts/project-fixture.mjs`: writes fixtures/projects/version-N.readroom with the code as it is, N being its
 * project version. Run it once before a version is raised; the file is then what upgrades are tested on, for good.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withBundle } from './bundle.mjs';
import { root } from './ensure.mjs';

const folder = join(root, 'fixtures', 'projects');
await withBundle({ fixture: 'src-main/storage/project/testing/fixture.ts' }, async ({ load }) => {
  const { projectVersion, writeFixture } = await load('fixture');
  const file = join(folder, `version-${projectVersion}.readroom`);
  if (existsSync(file)) {
    console.error(`${file} is there already: a version that was used is never written again.`);
    process.exitCode = 1;
    return;
  }
  mkdirSync(folder, { recursive: true });
  await writeFixture(file);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  console.log(file);
});
