import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // ONNX Runtime's native threads and vitest's worker threads do not mix: one process per file.
    pool: 'forks',
    testTimeout: 60_000,
    reporters: ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src-*/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          // One window at a time, and after everything else: what is timed must not share the machine.
          maxWorkers: 1,
          hookTimeout: 120_000,
          testTimeout: 240_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
