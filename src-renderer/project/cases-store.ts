/** The list of cases: fetched page by page as it is scrolled to, so that ten thousand cases cost no more than a screenful. */
import { create } from 'zustand';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import {
  type CaseFilter,
  type CaseRow,
  caseFilterSchema,
  type caseSorts,
  type RunRow,
} from '../../src-contract/project.ts';
import { call, on } from '../state/bridge.ts';

export type CaseSort = (typeof caseSorts)[number];
export const pageSize = 100;

interface CasesState {
  readonly filter: CaseFilter;
  readonly sort: CaseSort;
  /** Null until the first page is here. */
  readonly total: number | null;
  readonly pages: ReadonlyMap<number, readonly CaseRow[]>;
  readonly failure: ErrorPayload | null;
  /** Rises when the list has to be asked for again. */
  readonly version: number;
  /** The case whose runs are unfolded. */
  readonly openCase: string | null;
  readonly runs: readonly RunRow[] | null;
  change(part: Partial<CaseFilter>): void;
  setSort(sort: CaseSort): void;
  need(page: number): void;
  reload(): void;
  unfold(caseId: string | null): void;
}

export const noFilter: CaseFilter = caseFilterSchema.parse({});

export const isFiltered = (filter: CaseFilter): boolean =>
  JSON.stringify(filter) !== JSON.stringify(noFilter);

/** Rises when the list is another one: what was asked for before no longer counts. */
let generation = 0;
const asked = new Set<number>();
/** The pages that are here belong to another filter or order: the first answer to the new one takes their place, all of them. */
let otherList = false;

async function fetchPage(page: number): Promise<void> {
  if (asked.has(page)) return;
  asked.add(page);
  const mine = generation;
  const { filter, sort } = useCases.getState();
  try {
    const { total, rows } = await call('project.cases', {
      filter,
      sort,
      offset: page * pageSize,
      limit: pageSize,
    });
    if (mine !== generation) return;
    const keep = !otherList;
    otherList = false;
    useCases.setState(({ pages }) => ({
      total,
      pages: new Map(keep ? pages : []).set(page, rows),
      failure: null,
    }));
  } catch (thrown) {
    if (mine !== generation) return;
    asked.delete(page);
    useCases.setState({ failure: toReadroomError(thrown).toPayload() });
  }
}

async function fetchRuns(caseId: string): Promise<void> {
  try {
    const { runs } = await call('project.runs', { caseId });
    if (useCases.getState().openCase === caseId) useCases.setState({ runs });
  } catch (thrown) {
    useCases.setState({ failure: toReadroomError(thrown).toPayload() });
  }
}

export const useCases = create<CasesState>()((set, get) => ({
  filter: noFilter,
  sort: 'newest',
  total: null,
  pages: new Map(),
  failure: null,
  version: 0,
  openCase: null,
  runs: null,
  change: (part) => {
    set(({ filter }) => ({ filter: { ...filter, ...part } }));
    otherList = true;
    get().reload();
  },
  setSort: (sort) => {
    set({ sort });
    otherList = true;
    get().reload();
  },
  need: (page) => void fetchPage(page),
  reload: () => {
    generation++;
    asked.clear();
    // The old rows stay until the new ones are here (a list that flickers is hard to read): whoever shows them asks
    // for them anew when the version rises.
    set(({ version }) => ({ version: version + 1 }));
    void fetchPage(0);
    const { openCase } = get();
    if (openCase) void fetchRuns(openCase);
  },
  unfold: (openCase) => {
    set({ openCase, runs: null });
    if (openCase) void fetchRuns(openCase);
  },
}));

let waiting: ReturnType<typeof setTimeout> | null = null;
/** Changes come in bursts (a merge, a batch): the list follows at its own pace. */
function reloadSoon(): void {
  if (waiting !== null) return;
  waiting = setTimeout(() => {
    waiting = null;
    useCases.getState().reload();
  }, 150);
}

export function connectCases(): void {
  on('project.listChanged', reloadSoon);
  on('review.changed', reloadSoon);
  let project: string | null = null;
  on('project.changed', ({ projectId, readerId }) => {
    const now = `${projectId}/${readerId}`;
    if (project !== null && project !== now)
      useCases.setState({ pages: new Map(), total: null, openCase: null, runs: null });
    project = now;
    reloadSoon();
  });
}
