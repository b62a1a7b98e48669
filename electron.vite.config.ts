import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const at = (path: string) => resolve(import.meta.dirname, path);

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      sourcemap: true,
      minify: false,
      // Dependencies stay in node_modules (native ONNX Runtime, wasm codecs): only our own code is bundled.
      externalizeDeps: true,
      rollupOptions: {
        input: {
          main: at('src-main/app/main.ts'),
          cli: at('src-main/cli/main.ts'),
          // Processes of their own: the engine under the command line, and under the window; a study; a model job;
          // the open project; an export.
          'engine-host': at('src-main/engine/host/entry.ts'),
          'engine-process': at('src-main/app/models/engine-process.ts'),
          'study-host': at('src-main/study/host/entry.ts'),
          'project-host': at('src-main/storage/project/host/entry.ts'),
          'export-host': at('src-main/exports/host/entry.ts'),
          'model-process': at('src-main/app/models/model-process.ts'),
          // An Electron of its own, which the command line starts for pages to print.
          'print-process': at('src-main/app/exports/print-process.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload can load nothing but electron: everything goes into one CommonJS file.
      externalizeDeps: false,
      rollupOptions: {
        input: { index: at('src-preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('src-renderer'),
    plugins: [react()],
    worker: { format: 'es' },
    build: {
      outDir: at('out/renderer'),
      minify: true,
      rollupOptions: { input: at('src-renderer/index.html') },
    },
  },
});
