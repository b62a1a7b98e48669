/**
 * `project-window`: the lists, filters and searches of a project of 10,000 cases with 50,000 steps, and opening a case and
 * a run, as a person in the window has them: from the input event to the second frame after the page shows the result,
 * measured in the page. The worst median of them, as a share of 200 ms. Apart from them: from the start of the page until
 * the project is open, and until its list is shown to someone who wants it at once.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { type ScriptedRun, sampleInput, scriptedRun } from '../e2e/harness/projects.ts';
import { launchReadroom, type Readroom } from '../e2e/harness/readroom.ts';
import { patience, settle } from '../e2e/harness/window.ts';
import { type CaseFilter, type CaseSort, caseFilterSchema, projectVersion } from '../src-contract/project.ts';
import { summarizeEvents } from '../src-contract/trace.ts';
import { cacheFolder } from '../src-main/storage/locations.ts';
import { Project } from '../src-main/storage/project/project.ts';
import { listCases, listRuns, nextRun } from '../src-main/storage/project/queries.ts';
import { type BenchResult, type Log, machine, median, repeatsOf, rounded } from './bench.ts';
import { ben, fillBigProject, stepsEach } from './big-project.ts';

const barMs = 200;
const sampleTitle = 'Bundled case';
const sampleRuns = 10;

/** What the page shows: selectors with the text of their first element, or the number of their elements. */
type Shown = Readonly<Record<string, string | number>>;
const firstTitle = '[data-row="0"] .case-title';
const count = '[data-testid=cases-count]';
const steps = '[data-testid=review-step]';
const question = '.review .question-text';
const rowTitle = (n: number): string => `[data-row="${n}"] .case-title`;
const cased = (n: number): string => `${n.toLocaleString('en-US')} ${n === 1 ? 'case' : 'cases'}`;

declare global {
  interface Window {
    measured?: Promise<number>;
  }
}

/** Milliseconds from the first event of that name to the second frame after the page shows all of it. */
async function measure(page: Page, name: string, shown: Shown, act: () => Promise<unknown>): Promise<number> {
  await page.evaluate(
    ([eventName, wanted]) => {
      const isShown = ([selector, want]: [string, string | number]): boolean => {
        const found = document.querySelectorAll(selector);
        if (typeof want === 'number') return found.length === want;
        return found[0]?.firstChild?.textContent?.trim() === want;
      };
      const waitsFor = Object.entries(wanted);
      window.measured = new Promise((resolve) => {
        let begun = Number.NaN;
        const look = (): void => {
          if (Number.isNaN(begun) || !waitsFor.every(isShown)) return;
          observer.disconnect();
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - begun)));
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        const onEvent = (event: Event): void => {
          begun = event.timeStamp;
        };
        document.addEventListener(eventName, onEvent, { capture: true, once: true });
      });
    },
    [name, shown] as const,
  );
  await act();
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not shown: ${JSON.stringify(shown)}`)), patience).unref();
  });
  return Promise.race([page.evaluate(() => window.measured ?? Number.NaN), late]);
}

/** A run about the bundled case as a model writes them: some hundred tokens, five boxes, their crops. */
const sampleRun = (n: number): ScriptedRun => ({
  runId: `crops-${n}`,
  question: `Where is the lesion, now asked for time ${n}?`,
  options: { A: 'right lung', B: 'left lung' },
  script: [
    ...Array.from({ length: stepsEach }, (_, step) => {
      const low = 60 + 8 * step;
      const box = `<|box_start|>[${low},86,12,${low + 48},132,19]<|box_end|>`;
      return `${step === 0 ? '<think>' : ''} and beside part ${step} of it there is a bright mass at ${box}`;
    }),
    ' so it is in the right lung.</think>\n\nA. right lung<|im_end|>',
  ],
});

/** Made once and kept in the cache: making it takes longer than all that is measured. */
async function seededProject(log: Log): Promise<string> {
  const folder = join(cacheFolder(), 'bench');
  const file = join(folder, `project-window-${projectVersion}.readroom`);
  if (existsSync(file)) return file;
  log('Making a project of 10,000 cases …');
  mkdirSync(folder, { recursive: true });
  const begun = `${file}.begun`;
  rmSync(begun, { force: true });
  await fillBigProject(begun, log);
  renameSync(begun, file);
  return file;
}

async function seed(userData: string, log: Log): Promise<Project> {
  const file = join(userData, 'library.readroom');
  copyFileSync(await seededProject(log), file);
  const project = Project.open(file, { reader: ben, trusted: true });
  const input = await sampleInput();
  for (let n = 0; n < sampleRuns; n++) {
    const trace = await scriptedRun(input, sampleRun(n));
    if (summarizeEvents(trace.events).steps.length !== stepsEach) throw new Error('a run was cut short');
    project.addRun(trace, sampleTitle);
  }
  // Who reads on this machine is one of the two who have read a part.
  writeFileSync(join(userData, 'projects.json'), JSON.stringify({ me: ben, last: null, known: [] }));
  return project;
}

const showCases = (page: Page) => page.locator('[data-testid=list] label', { hasText: 'Cases' }).click();
const showStudies = (page: Page) => page.locator('[data-testid=list] label', { hasText: 'Studies' }).click();

export async function bench(log: Log): Promise<BenchResult> {
  const userData = mkdtempSync(join(tmpdir(), 'readroom-bench-window-'));
  const times: Record<string, number[]> = {};
  let readroom: Readroom | null = null;
  const launch = async (): Promise<Page> => {
    await readroom?.close();
    readroom = await launchReadroom({ userData });
    // The images of most cases are nowhere: nobody looks for them.
    await readroom.app.evaluate(({ dialog }) => {
      dialog.showOpenDialog = async () => ({ canceled: true, filePaths: [] });
    });
    await readroom.page.getByTestId('list').waitFor({ timeout: patience });
    return readroom.page;
  };
  const note = async (name: string, timing: Promise<number>): Promise<void> => {
    const ms = await timing;
    times[name] = [...(times[name] ?? []), ms];
  };
  const repeats = repeatsOf(9);
  try {
    const project = await seed(userData, log);
    const list = (filter: Partial<CaseFilter>, sort: CaseSort = 'newest', offset = 0) => {
      const { total, rows } = listCases(project.db, ben, {
        filter: caseFilterSchema.parse(filter),
        sort,
        offset,
        limit: 1,
      });
      if (!rows[0]) throw new Error('nothing is found');
      return { total, row: rows[0] };
    };
    const head = (filter: Partial<CaseFilter>, sort?: CaseSort): Shown => {
      const { total, row } = list(filter, sort);
      return { [count]: cased(total), [firstTitle]: row.title };
    };
    const all = head({});
    const { total } = list({});
    const runOf = (row: number) => {
      const { caseId, title } = list({}, 'newest', row).row;
      const [run] = listRuns(project.db, ben, caseId);
      if (!run) throw new Error('a case without a run');
      return { title, run };
    };

    log('Starts …');
    for (let n = 0; n < repeatsOf(5); n++) {
      const page = await launch();
      await measure(page, 'click', all, () => showCases(page));
      await note(
        'start until the list is shown',
        page.evaluate(() => performance.now()),
      );
    }
    for (let n = 0; n < repeatsOf(5); n++) {
      const page = await launch();
      const open = page.evaluate(async () => {
        await window.readroom.call('project.view', {});
        return performance.now();
      });
      await note('start until the project is open', open);
      await settle(page);
      await page.waitForTimeout(1_000);
      await note(
        'first list',
        measure(page, 'click', all, () => showCases(page)),
      );
    }

    const page = await launch();
    await page.waitForTimeout(2_000);
    for (let n = 0; n < repeats; n++) {
      await note(
        'list again',
        measure(page, 'click', all, () => showCases(page)),
      );
      await showStudies(page);
      await page.waitForTimeout(200);
    }
    await measure(page, 'click', all, () => showCases(page));
    await page.getByTestId('cases-filters').click();
    const select = (label: string, value: string) => () =>
      page.getByLabel(label, { exact: true }).selectOption(value);
    const tick = (label: string) => () => page.getByLabel(label, { exact: true }).click();
    const filters: readonly (readonly [
      string,
      string,
      Shown,
      () => Promise<unknown>,
      () => Promise<unknown>,
    ])[] = [
      ['modality', 'change', head({ modalities: ['MR'] }), select('Modality', 'MR'), select('Modality', '')],
      ['answer', 'change', head({ answer: 'B' }), select('Answer', 'B'), select('Answer', '')],
      [
        'still to read',
        'change',
        head({ reviewed: 'open' }),
        select('Read by me', 'open'),
        select('Read by me', 'any'),
      ],
      [
        'read',
        'change',
        head({ reviewed: 'done' }),
        select('Read by me', 'done'),
        select('Read by me', 'any'),
      ],
      [
        'disagreement',
        'click',
        head({ disagreement: true }),
        tick('Readers disagree'),
        tick('Readers disagree'),
      ],
      ['assigned', 'click', head({ assignedTo: 'ben' }), tick('Assigned to me'), tick('Assigned to me')],
      ['order', 'change', head({}, 'title'), select('Order', 'title'), select('Order', 'newest')],
    ];
    for (const [name, event, shown, on, off] of filters) {
      for (let n = 0; n < repeats; n++) {
        await note(`filter: ${name}`, measure(page, event, shown, on));
        await note('filter taken away', measure(page, event === 'click' ? 'click' : 'change', all, off));
      }
    }
    log('Search …');
    const search = page.getByTestId('cases-search');
    for (let n = 0; n < repeats; n++) {
      const words = 'haemorrhage right 7';
      await measure(page, 'input', head({ text: words.slice(0, -1) }), () => search.fill(words.slice(0, -1)));
      await note(
        'search',
        measure(page, 'input', head({ text: words }), () => search.press('7')),
      );
      await note(
        'search taken away',
        measure(page, 'input', all, () => search.fill('')),
      );
    }

    log('Scrolling …');
    for (let n = 0; n < repeats; n++) {
      // To the end first; then to places that were not seen before.
      const row = n === 0 ? total - 1 : Math.floor((total * n * 0.618) % (total - 20));
      const there = { [rowTitle(row)]: list({}, 'newest', row).row.title };
      const scroll = () =>
        page.evaluate((to) => {
          document.dispatchEvent(new Event('scrolled-to'));
          const scroller = document.querySelector('[data-testid=case-list]');
          if (scroller) scroller.scrollTop = to * 56;
        }, row);
      await note(n === 0 ? 'scroll to the end' : 'scroll', measure(page, 'scrolled-to', there, scroll));
    }
    await page.evaluate(() => {
      const scroller = document.querySelector('[data-testid=case-list]');
      if (scroller) scroller.scrollTop = 0;
    });
    await settle(page);

    log('Opening …');
    let last = '';
    for (let n = 0; n < repeats; n++) {
      const { title, run } = runOf(n);
      const row = page.locator(`[data-row="${n}"]`);
      if ((await row.locator('.case-title').innerText()) !== title)
        throw new Error(`row ${n} is another case`);
      const unfolded = { [`[data-row="${n}"] [data-testid=run-item]`]: 1 };
      await note(
        'unfold a case',
        measure(page, 'click', unfolded, () => row.locator('.case-item').click()),
      );
      const opened = { [question]: run.question, [steps]: stepsEach };
      await note(
        'open a run',
        measure(page, 'click', opened, () => row.locator('.run-open').click()),
      );
      await page.getByTestId('images-missing').waitFor({ timeout: patience });
      last = run.runId;
    }
    for (let n = 0; n < repeats; n++) {
      const next = nextRun(project.db, ben, {
        after: last,
        filter: caseFilterSchema.parse({}),
        sort: 'newest',
      });
      if (!next) throw new Error('no run is left to read');
      const { question: text } = project.trace(next.runId);
      const opened = { [question]: text, [steps]: stepsEach };
      await note(
        'next run to read',
        measure(page, 'keydown', opened, () => page.keyboard.press('Shift+N')),
      );
      await page.getByTestId('images-missing').waitFor({ timeout: patience });
      const decided = {
        [`${steps}[data-step="0"][data-decision=accept]`]: 1,
        '[data-testid=saved][data-state=saved]': 1,
      };
      await note(
        'a decision until it is saved',
        measure(page, 'keydown', decided, () => page.keyboard.press('a')),
      );
      last = next.runId;
    }

    // Runs as long as a model's, with crops, over images that are open.
    await measure(page, 'input', head({ text: sampleTitle }), () => search.fill(sampleTitle));
    const { runs } = list({ text: sampleTitle }).row;
    const unfolded = { '[data-row="0"] [data-testid=run-item]': runs };
    await measure(page, 'click', unfolded, () => page.locator('[data-row="0"] .case-item').click());
    for (let n = 0; n < sampleRuns; n++) {
      const text = sampleRun(n).question;
      const item = page.locator('[data-testid=run-item]', { hasText: text });
      const opened = { [question]: text, [steps]: stepsEach };
      const timing = measure(page, 'click', opened, () => item.locator('.run-open').click());
      await note(n === 0 ? 'open a run with crops, the first' : 'open a run with crops', timing);
      if (n === 0) await page.locator('[data-testid=viewport-0][data-slice]').waitFor({ timeout: patience });
      await page.waitForTimeout(500);
    }
    project.close();

    const apart = (name: string): boolean => name.startsWith('start');
    const worst = Object.entries(times)
      .filter(([name]) => !apart(name))
      .map(([name, all]) => ({ name, ms: median(all) }))
      .reduce((a, b) => (b.ms > a.ms ? b : a));
    for (const [name, all] of Object.entries(times))
      log(`  ${name}: ${median(all).toFixed(0)} ms, at worst ${Math.max(...all).toFixed(0)} (${all.length})`);
    return {
      ratio: rounded(worst.ms / barMs, 3),
      detail: {
        bar: `<= 1 (worst median over ${barMs} ms; starts are told apart)`,
        slowest: worst.name,
        /** Median, worst, how often. */
        ms: Object.fromEntries(
          Object.entries(times).map(([name, all]) => [
            name,
            [rounded(median(all), 0), rounded(Math.max(...all), 0), all.length],
          ]),
        ),
        ...machine(),
      },
    };
  } finally {
    await (readroom as Readroom | null)?.close();
    rmSync(userData, { recursive: true, force: true });
  }
}
