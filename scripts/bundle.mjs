/** TypeScript of the repository as modules that plain Node 20 runs; what the development scripts have in common. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './ensure.mjs';

/**
 * Bundles entries into `outDir`, each as NAME.mjs. It has to lie inside the repository, so that imports find
 * node_modules.
 *
 * @param {Record<string, string>} entries name -> path of a .ts file, relative to the repository
 */
async function bundle(entries, outDir) {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rollupOptions: {
        input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(root, file)])),
        output: { format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
}

/**
 * Calls `use` with the bundled entries, and removes them when it is done, however it ends.
 *
 * @param {Record<string, string>} entries as `bundle`
 * @param {(modules: { load(name: string): Promise<any>, path(name: string): string }) => Promise<T>} use
 * @returns {Promise<T>}
 * @template T
 */
export async function withBundle(entries, use) {
  const outDir = await mkdtemp(join(root, 'node_modules', '.readroom-bundle-'));
  const path = (name) => join(outDir, `${name}.mjs`);
  try {
    await bundle(entries, outDir);
    return await use({ path, load: (name) => import(pathToFileURL(path(name)).href) });
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
}
