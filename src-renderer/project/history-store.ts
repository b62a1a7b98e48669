/** The log of a case, or of the whole project: who changed what and when. */
import { create } from 'zustand';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';
import type { LogEntry } from '../../src-contract/project.ts';
import { call } from '../state/bridge.ts';
import { useUi } from '../state/ui-store.ts';

interface HistoryState {
  /** Null: the whole project. */
  readonly caseId: string | null;
  readonly entries: readonly LogEntry[];
  readonly total: number | null;
  readonly broken: string | null;
  /** Entries of others that this reader may not see yet. */
  readonly hidden: number;
  readonly failure: ErrorPayload | null;
  /** Fetches the next entries. */
  more(): Promise<void>;
}

const page = 200;

export const useHistory = create<HistoryState>()((set, get) => ({
  caseId: null,
  entries: [],
  total: null,
  broken: null,
  hidden: 0,
  failure: null,
  more: async () => {
    const { caseId, entries } = get();
    try {
      const found = await call('project.log', { caseId, offset: entries.length, limit: page });
      if (get().caseId !== caseId) return;
      set({
        entries: [...entries, ...found.entries],
        total: found.total,
        broken: found.broken,
        hidden: found.hidden,
        failure: null,
      });
    } catch (thrown) {
      set({ failure: toReadroomError(thrown).toPayload() });
    }
  },
}));

export function showHistory(caseId: string | null): void {
  useHistory.setState({ caseId, entries: [], total: null, broken: null, hidden: 0, failure: null });
  useUi.getState().openPanel('history');
}
