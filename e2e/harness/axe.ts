/** What axe-core finds in the window as it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { root } from './readroom.ts';

/** Through the debugger, which the page's policy does not bind. */
export async function bringAxe(page: Page): Promise<void> {
  await page.evaluate(readFileSync(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8'));
}

export async function expectClean(page: Page): Promise<void> {
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(context: Document, options: object): Promise<AxeResults> };
    };
    const { violations, passes } = await axe.run(document, { resultTypes: ['violations'] });
    const bad = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`,
      );
    return { bad, passed: passes.length };
  });
  expect(found.bad).toEqual([]);
  expect(found.passed).toBeGreaterThan(10);
}
