/**
 * The scrolling list of turns. It stays at the end while text streams only if the person is at the end; whoever scrolls
 * up to read is left alone.
 */
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { KeepAtEnd } from './keep-at-end.ts';

/** Distance from the end, in px, that still counts as being there. */
const nearEnd = 24;

interface Props {
  readonly runIds: readonly string[];
  readonly children: ReactNode;
}

export function ChatScroll({ runIds, children }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const lastTop = useRef(0);
  const [away, setAway] = useState(false);
  const keep = useCallback((): void => {
    const element = scroller.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, []);
  const toEnd = useCallback((): void => {
    atEnd.current = true;
    setAway(false);
    keep();
  }, [keep]);
  const count = runIds.length;
  // A new question is where the person wants to be.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `count` is what it waits for.
  useLayoutEffect(toEnd, [count, toEnd]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // The panel resized: what was the end is not any more.
    const observer = new ResizeObserver(keep);
    observer.observe(element);
    // The window's own zoom moves the text under the reader before the observer hears of it.
    const onResize = (): void => {
      if (atEnd.current) requestAnimationFrame(toEnd);
    };
    window.addEventListener('resize', onResize);
    return () => {
      observer.disconnect();
      window.removeEventListener('resize', onResize);
    };
  }, [keep, toEnd]);
  return (
    <div className="chat-scroll-frame">
      <div
        ref={scroller}
        className="chat-scroll"
        // Scrollable by keyboard, as any text is.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area needs the focus to be scrolled with keys.
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Questions and answers"
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          const isAtEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
          const isUp = scrollTop < lastTop.current;
          lastTop.current = scrollTop;
          // Text that grew moves the end away; only a person moves up.
          if (isAtEnd === atEnd.current || (!isAtEnd && !isUp)) return;
          atEnd.current = isAtEnd;
          setAway(!isAtEnd);
        }}
      >
        <KeepAtEnd value={keep}>{children}</KeepAtEnd>
      </div>
      {away && (
        <button type="button" className="to-end" onClick={toEnd}>
          To the end
        </button>
      )}
    </div>
  );
}
