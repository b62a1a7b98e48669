/** For tests: bundles an entry so that Node 20, which runs no TypeScript, can fork it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { build } from 'vite';

/**
 * @param entry a .ts file
 * @returns the built file, inside node_modules/.cache so that it finds the dependencies; removed with `remove`
 */
export async function buildEntry(entry: string): Promise<{ file: string; remove: () => void }> {
  const root = resolve(import.meta.dirname, '../../..');
  const outDir = mkdtempSync(join(root, 'node_modules', '.readroom-test-'));
  const name = `${basename(entry, '.ts')}.mjs`;
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: name } },
    },
  });
  return { file: join(outDir, name), remove: () => rmSync(outDir, { recursive: true, force: true }) };
}
