/**
 * Runs that the main side makes up, for benches of the window: the page, its stores and its drawing are the real ones, and
 * what they are told has the shape and the pace that the bench wants. Nothing of this is in the program: the bench takes
 * the place of the handler behind the border.
 */
import type { ElectronApplication, Page } from 'playwright-core';
import { type AffineChain, locateBox, type ProcessorBox } from '../src-contract/geometry.ts';
import type { RunEvent } from '../src-contract/run-events.ts';

type Handler = (event: unknown, name: unknown, params: unknown) => Promise<unknown>;
interface Scripted {
  asked: string[];
}

/** Answers run.ask and run.trace from here on; everything else goes to the program. */
export async function scriptRuns(app: ElectronApplication, chain: AffineChain): Promise<void> {
  await app.evaluate(({ ipcMain }, runChain) => {
    const { _invokeHandlers } = ipcMain as unknown as { _invokeHandlers: Map<string, Handler> };
    const real = _invokeHandlers.get('readroom:call') as Handler;
    const scripted: Scripted = { asked: [] };
    Object.assign(globalThis, { scripted });
    _invokeHandlers.set('readroom:call', async (event, name, params) => {
      if (name === 'run.ask') {
        const runId = `scripted-${scripted.asked.length}`;
        scripted.asked.push(runId);
        return { ok: true, value: { runId } };
      }
      if (name === 'run.trace') return { ok: true, value: { chain: runChain } };
      return real(event, name, params);
    });
  }, chain);
}

/** Asks through the composer, and returns the id that the run was given. */
export async function askScripted(app: ElectronApplication, page: Page): Promise<string> {
  await page.getByTestId('suggestion').first().click();
  const lastAsked = () =>
    app.evaluate(() => {
      const { scripted } = globalThis as unknown as { scripted: Scripted };
      return scripted.asked;
    });
  const turns = await page.getByTestId('turn').count();
  for (;;) {
    const asked = await lastAsked();
    const runId = asked.at(-1);
    if (runId && asked.length >= turns && (await page.getByTestId('turn').count()) === asked.length)
      return runId;
    await page.waitForTimeout(20);
  }
}

export async function send(
  app: ElectronApplication,
  runId: string,
  events: readonly RunEvent[],
): Promise<void> {
  await app.evaluate(
    ({ BrowserWindow }, { id, list }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      for (const event of list) contents?.send('readroom:event', 'run.event', { runId: id, event });
    },
    { id: runId, list: events as RunEvent[] },
  );
}

export function startedEvent(runId: string): RunEvent {
  return {
    type: 'run-started',
    at: 0,
    runId,
    mode: '3d',
    preset: 'grounded',
    systemPrompt: '',
    promptText: '',
    rendered: '',
    model: {
      modelHash: '',
      name: 'scripted',
      precision: 'fp32',
      provider: 'cpu',
      refused: [],
      notes: [],
      parameters: 0,
      contextLimit: 4096,
      imageProcessor: '',
      generation: { repetitionPenalty: 1, topK: 50 },
    },
    sampling: { temperature: 0, topP: 1, topK: 50, repetitionPenalty: 1, seed: 0 },
    limits: { maxNewTokens: 512, maxRounds: 10, tokensPerRound: 128 },
  };
}

export const tokenEvent = (index: number, text: string): RunEvent => ({
  type: 'token',
  at: index,
  round: 0,
  index,
  id: 1,
  logprob: -0.1,
  text,
});

export function boxEvent(step: number, box: ProcessorBox, chain: AffineChain): RunEvent {
  const { x1, y1, z1, x2, y2, z2 } = box;
  return {
    type: 'box',
    at: 100,
    round: 0,
    step,
    raw: [x1, y1, z1, x2, y2, z2],
    clamped: box,
    located: locateBox(chain, box),
    sliceZeroOnly: false,
  };
}

/** A small grey PNG, as crops come. */
const cropPng =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAFElEQVR4nGNgYGD4D8QMDAwMDFQAAB3vAQABeoQvAAAAAElFTkSuQmCC';

/** A whole answer: words, a box with its crop, words, an answer. */
export function wholeAnswer(runId: string, chain: AffineChain): RunEvent[] {
  const words =
    'The lung shows a lesion with a bright ring around a darker centre in the middle slices . '.split(' ');
  const text = Array.from({ length: 40 }, (_, n) => `${words[n % words.length]} `);
  const box: ProcessorBox = { x1: 10, y1: 10, z1: 5, x2: 40, y2: 40, z2: 12 };
  return [
    startedEvent(runId),
    { type: 'round-started', at: 1, round: 0, contextTokens: 100 },
    tokenEvent(0, '<think>'),
    ...text.map((word, n) => tokenEvent(n + 1, word)),
    tokenEvent(41, '<|box_start|>[10,10,5,40,40,12]<|box_end|>'),
    boxEvent(0, box, chain),
    {
      type: 'crop',
      at: 110,
      step: 0,
      injected: 'predicted',
      box,
      images: Array.from({ length: 7 }, (_, slice) => ({
        slice: slice + 5,
        width: 8,
        height: 8,
        sha256: '0'.repeat(64),
        png: cropPng,
      })),
      tokens: 7,
    },
    { type: 'round-finished', at: 120, round: 0, tokens: 42, reason: 'box', retokenised: false },
    { type: 'round-started', at: 121, round: 1, contextTokens: 160 },
    ...text.map((word, n): RunEvent => ({ ...tokenEvent(n + 42, word), round: 1, at: 130 + n }) as RunEvent),
    { ...tokenEvent(82, '</think>B. ring lesion'), round: 1, at: 180 } as RunEvent,
    { type: 'round-finished', at: 190, round: 1, tokens: 41, reason: 'end-of-turn', retokenised: false },
    {
      type: 'answer',
      at: 191,
      text: 'B. ring lesion',
      answers: { inference: 'B', reward: 'B', strict: 'B', formatReward: 1 },
    },
    {
      type: 'run-finished',
      at: 192,
      stopReason: 'end-of-turn',
      response: '',
      newTokens: 83,
      timings: {
        visionMs: 1,
        prefillMs: 1,
        decodeMs: 190,
        firstTokenMs: 2,
        totalMs: 192,
        tokensPerSecond: 430,
      },
    },
  ];
}

/** The affine chain of the study in hand, from the program itself. */
export async function chainInHand(page: Page): Promise<AffineChain> {
  const answer = await page.evaluate(async () => {
    const info = await window.readroom.call('app.info', {});
    const study = info.ok ? info.value.open[0] : undefined;
    const series = study?.series[0];
    if (!study || !series) throw new Error('no study is open');
    return window.readroom.call('study.modelView', {
      studyId: study.studyId,
      seriesId: series.id,
      target: { kind: 'volume' },
    });
  });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value.chain;
}
