/** What of the window is open, how wide, and what it has to say: nothing here belongs to a study or a run. */
import { create } from 'zustand';
import { type ErrorPayload, toReadroomError } from '../../src-contract/errors.ts';

export const panels = [
  'models',
  'settings',
  'shortcuts',
  'palette',
  'about',
  'tags',
  'readers',
  'agreement',
  'history',
  'merged',
  'export',
] as const;
export type Panel = (typeof panels)[number];

/** What the right-hand side is used for. */
export const sides = ['chat', 'review', 'compare'] as const;
export type Side = (typeof sides)[number];
/** What the left-hand side lists. */
export const lists = ['studies', 'cases'] as const;
export type List = (typeof lists)[number];

export interface Notice {
  readonly id: number;
  readonly tone: 'info' | 'error';
  readonly message: string;
  readonly remedy?: string;
  readonly detail?: string;
}

export interface Layout {
  readonly browserWidth: number;
  readonly chatWidth: number;
  readonly browserOpen: boolean;
  readonly chatOpen: boolean;
}

export const widthLimits = {
  browser: { min: 180, max: 420 },
  chat: { min: 320, max: 760 },
} as const;

interface UiState extends Layout {
  /** The study list over the images, in a window too narrow for both. */
  readonly browserOver: boolean;
  readonly panel: Panel | null;
  readonly side: Side;
  readonly list: List;
  readonly notices: readonly Notice[];
  /** The viewer goes to each new box of the run that streams. */
  readonly following: boolean;
  /** The switch as the person set it: the next question follows again where this one was interrupted. */
  readonly followWanted: boolean;
  openPanel(panel: Panel): void;
  togglePanel(panel: Panel): void;
  closePanel(): void;
  /** Brings a side to the right, which is opened where it was closed. */
  showSide(side: Side): void;
  showList(list: List): void;
  setLayout(part: Partial<Layout>): void;
  /** Shows or hides the study list, in the way that suits the window's width. */
  toggleBrowser(): void;
  setFollow(on: boolean): void;
  /** The person took the viewer in hand: it stays where they put it. */
  interruptFollowing(): void;
  resumeFollowing(): void;
  notify(notice: Omit<Notice, 'id'>): void;
  /** Says what went wrong, unless the person asked for it (cancelled). */
  report(thrown: unknown): void;
  dismiss(id: number): void;
}

/** Narrower than this, in CSS px, the three areas do not fit side by side. */
export const narrowWindow = '(max-width: 880px)';

const isNarrow = (): boolean => typeof matchMedia === 'function' && matchMedia(narrowWindow).matches;

const storageKey = 'readroom.layout';
const defaults: Layout = { browserWidth: 240, chatWidth: 420, browserOpen: true, chatOpen: true };

function savedLayout(): Layout {
  try {
    const saved = JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Layout>;
    return sensible({ ...defaults, ...saved });
  } catch {
    return defaults; // A layout that can't be read costs a default width, nothing else.
  }
}

const clamp = (value: number, { min, max }: { min: number; max: number }): number =>
  Number.isFinite(value) ? Math.round(Math.min(max, Math.max(min, value))) : min;

function sensible({ browserWidth, chatWidth, browserOpen, chatOpen }: Layout): Layout {
  return {
    browserWidth: clamp(browserWidth, widthLimits.browser),
    chatWidth: clamp(chatWidth, widthLimits.chat),
    browserOpen: browserOpen !== false,
    chatOpen: chatOpen !== false,
  };
}

let noticeCount = 0;
/** Notices that are kept: older ones make room. */
const noticeLimit = 4;

export function noticeOf({ message, remedy, detail }: ErrorPayload): Omit<Notice, 'id'> {
  return { tone: 'error', message, remedy, detail };
}

export const useUi = create<UiState>()((set, get) => ({
  ...savedLayout(),
  browserOver: false,
  panel: null,
  side: 'chat',
  list: 'studies',
  notices: [],
  following: true,
  followWanted: true,
  openPanel: (panel) => set({ panel }),
  togglePanel: (panel) => set((state) => ({ panel: state.panel === panel ? null : panel })),
  closePanel: () => set({ panel: null }),
  showSide: (side) => {
    set({ side });
    if (!get().chatOpen) get().setLayout({ chatOpen: true });
  },
  showList: (list) => {
    set({ list });
    if (isNarrow()) set({ browserOver: true });
    else if (!get().browserOpen) get().setLayout({ browserOpen: true });
  },
  setLayout: (part) =>
    set((state) => {
      const next = sensible({ ...state, ...part });
      try {
        localStorage.setItem(storageKey, JSON.stringify(next));
      } catch {
        // Full or refused storage: the layout holds for this session.
      }
      return next;
    }),
  toggleBrowser: () => {
    const { browserOpen, browserOver, setLayout } = get();
    if (isNarrow()) set({ browserOver: !browserOver });
    else setLayout({ browserOpen: !browserOpen });
  },
  setFollow: (on) => set({ following: on, followWanted: on }),
  interruptFollowing: () => {
    if (get().following) set({ following: false });
  },
  resumeFollowing: () => set(({ followWanted }) => ({ following: followWanted })),
  notify: (notice) =>
    set(({ notices }) => ({
      notices: [
        // Said once is enough: the same words move to the end.
        ...notices.filter(({ message }) => message !== notice.message).slice(-(noticeLimit - 1)),
        { ...notice, id: ++noticeCount },
      ],
    })),
  report: (thrown) => {
    const error = toReadroomError(thrown).toPayload();
    if (error.code !== 'cancelled') get().notify(noticeOf(error));
  },
  dismiss: (id) => set(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) })),
}));
