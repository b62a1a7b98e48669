/**
 * `stream`: what one streamed token costs the page's main thread (script, style, layout, paint), with 100 answers in the
 * chat over an empty one. The thread's own account (Chromium's TaskDuration) around each token, less the same around none.
 */
import type { CDPSession, ElectronApplication, Page } from 'playwright-core';
import { launchReadroom } from '../e2e/harness/readroom.ts';
import { patience } from '../e2e/harness/window.ts';
import { type BenchResult, type Log, median, rounded } from './bench.ts';
import {
  askScripted,
  chainInHand,
  scriptRuns,
  send,
  startedEvent,
  tokenEvent,
  wholeAnswer,
} from './scripted-runs.ts';

const answers = 100;
const tokens = 150;

async function busySeconds(debug: CDPSession): Promise<number> {
  const { metrics } = await debug.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
}

const twoFrames = (page: Page): Promise<void> =>
  page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );

/** Milliseconds of main thread that each of the tokens cost. */
async function streamOne(app: ElectronApplication, page: Page, debug: CDPSession): Promise<number> {
  const runId = await askScripted(app, page);
  await send(app, runId, [
    startedEvent(runId),
    { type: 'round-started', at: 0, round: 0, contextTokens: 0 },
    tokenEvent(0, '<think>'),
  ]);
  await page.waitForTimeout(500);
  const measure = async (work: () => Promise<void>): Promise<number> => {
    const before = await busySeconds(debug);
    await work();
    await twoFrames(page);
    return (await busySeconds(debug)) - before;
  };
  const [costs, idle]: [number[], number[]] = [[], []];
  for (let n = 0; n < tokens; n++) {
    costs.push(
      await measure(() => send(app, runId, [tokenEvent(n + 1, n % 12 === 11 ? 'lesion.\n' : 'lesion ')])),
    );
    idle.push(await measure(() => send(app, runId, [])));
  }
  await send(app, runId, wholeAnswer(runId, await chainInHand(page)).slice(-2));
  await page.waitForTimeout(300);
  return 1000 * (median(costs) - median(idle));
}

export async function bench(log: Log): Promise<BenchResult> {
  const readroom = await launchReadroom();
  const { app, page } = readroom;
  try {
    await page.getByTestId('open-sample-centre').click({ timeout: patience });
    await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
    // The sample's slices go on coming for a while; they are not what is measured.
    await page.waitForTimeout(8_000);
    const chain = await chainInHand(page);
    await scriptRuns(app, chain);
    const debug = await page.context().newCDPSession(page);
    await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
    await streamOne(app, page, debug); // Warms the code up.
    const empty = [await streamOne(app, page, debug), await streamOne(app, page, debug)];
    log(`  empty chat: ${empty.map((one) => one.toFixed(2)).join(', ')} ms a token`);
    for (let n = 0; n < answers; n++) {
      const runId = await askScripted(app, page);
      await send(app, runId, wholeAnswer(runId, chain));
    }
    await page.waitForTimeout(2_000);
    const full = [await streamOne(app, page, debug), await streamOne(app, page, debug)];
    log(`  ${answers} answers: ${full.map((one) => one.toFixed(2)).join(', ')} ms a token`);
    const [emptyMs, fullMs] = [Math.min(...empty), Math.min(...full)];
    return {
      ratio: rounded(fullMs / emptyMs),
      detail: {
        bar: '<= 1.2, and below 4 ms',
        answers: await page.getByTestId('turn').count(),
        emptyMs: rounded(emptyMs),
        fullMs: rounded(fullMs),
      },
    };
  } finally {
    await readroom.close();
  }
}
