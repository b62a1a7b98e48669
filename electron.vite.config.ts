import { resolve } from 'node:path';
import { defineConfig } from 'electron-vite';

// The main side only, until the window exists: the command line and the process that hosts ONNX Runtime.
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
          cli: resolve(import.meta.dirname, 'src-main/cli/main.ts'),
          'engine-host': resolve(import.meta.dirname, 'src-main/engine/host/entry.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
});
