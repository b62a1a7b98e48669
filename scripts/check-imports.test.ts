import { describe, expect, it } from 'vitest';
import { importsOf, violationsOf } from './check-imports.mjs';

describe('import rules', () => {
  it('resolves relative imports to paths from the root', () => {
    expect(
      importsOf('src-main/engine/host/a.ts', "import { x } from '../../../src-contract/errors.ts';"),
    ).toEqual(['src-contract/errors.ts']);
  });

  it.each([
    ['src-contract/a.ts', "import { x } from '../src-main/b.ts';"],
    ['src-renderer/a.tsx', "import type { x } from '../src-main/b.ts';"],
    ['src-renderer/a.tsx', "const b = await import('../src-main/b.ts');"],
    ['src-renderer/a.tsx', "import fs from 'node:fs';"],
    ['src-main/engine/a.ts', "import { app } from 'electron';"],
    ['src-main/engine/a.ts', "export { x } from '../cli/b.ts';"],
    ['src-main/study/a.ts', "import 'electron';"],
  ])('refuses in %s: %s', (file, text) => {
    expect(violationsOf(file, text)).toHaveLength(1);
  });

  it.each([
    ['src-main/app/a.ts', "import { app } from 'electron';"],
    ['src-main/engine/a.ts', "import { y } from '../slices/b.ts';"],
    ['src-contract/a.ts', "import { z } from './errors.ts';"],
  ])('allows in %s: %s', (file, text) => {
    expect(violationsOf(file, text)).toEqual([]);
  });
});
