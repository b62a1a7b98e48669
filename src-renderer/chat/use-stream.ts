/** Ties a turn's containers to its run: draws what is there, follows what comes, replays what was. */
import { type RefObject, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { runLog } from '../state/run-store.ts';
import { useSettings } from '../state/settings-store.ts';
import { KeepAtEnd } from './keep-at-end.ts';
import { startReplay } from './replay.ts';
import { StreamView } from './stream-view.ts';

export interface Replay {
  readonly playing: boolean;
  start(): void;
  /** Shows the rest at once. */
  skip(): void;
}

export interface Stream {
  readonly thinking: RefObject<HTMLDivElement | null>;
  readonly text: RefObject<HTMLDivElement | null>;
  /** Where the number of tokens is written. */
  readonly count: RefObject<HTMLSpanElement | null>;
  readonly replay: Replay;
}

export function useStream(runId: string): Stream {
  const thinking = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLDivElement>(null);
  const count = useRef<HTMLSpanElement>(null);
  const keepAtEnd = useContext(KeepAtEnd);
  const confidence = useSettings(({ settings }) => settings.showConfidence);
  // Which way the text is drawn: live (0), or the n-th replay.
  const [playing, setPlaying] = useState(0);

  useEffect(() => {
    if (!thinking.current || !text.current) return;
    const log = runLog(runId);
    const view = new StreamView(
      { thinking: thinking.current, answer: text.current },
      {
        confidence,
        onDrawn: () => {
          if (count.current) count.current.textContent = log.tokens === 0 ? '' : `${log.tokens} tokens`;
          keepAtEnd();
        },
      },
    );
    const stop = playing === 0 ? view.follow(log) : startReplay(runId, view, () => setPlaying(0));
    return () => {
      stop();
      view.dispose();
    };
  }, [runId, confidence, playing, keepAtEnd]);

  const replay = useMemo(
    (): Replay => ({
      playing: playing > 0,
      start: () => setPlaying((before) => before + 1),
      skip: () => setPlaying(0),
    }),
    [playing],
  );
  return { thinking, text, count, replay };
}
