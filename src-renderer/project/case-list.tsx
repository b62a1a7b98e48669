/**
 * A list of any length: only the rows on screen are in the document, and only their pages are fetched. Rows have one
 * height; the runs of the unfolded case stand between them, and their height is measured.
 */
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { CaseItem } from './case-item.tsx';
import { CaseRuns } from './case-runs.tsx';
import { isFiltered, pageSize, useCases } from './cases-store.ts';

/** As project.css has it. */
const rowHeight = 56;
/** Rows beyond the edges, so that scrolling finds them there. */
const spare = 6;

export function CaseList() {
  const { pages, total, version, openCase } = useCases();
  const filtered = useCases(({ filter }) => isFiltered(filter));
  const need = useCases((state) => state.need);
  const unfold = useCases((state) => state.unfold);
  const scroller = useRef<HTMLDivElement>(null);
  const runs = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [runsHeight, setRunsHeight] = useState(0);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another case has other runs to be measured.
  useLayoutEffect(() => {
    const element = runs.current;
    if (!element) {
      setRunsHeight(0);
      return;
    }
    const observer = new ResizeObserver(() => setRunsHeight(element.offsetHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [openCase]);

  const count = total ?? 0;
  const rowAt = (n: number) => pages.get(Math.floor(n / pageSize))?.[n % pageSize];
  const openAt = openCase === null ? -1 : findRow(pages, openCase);
  const extra = openAt >= 0 ? runsHeight : 0;
  const topOf = (n: number) => n * rowHeight + (openAt >= 0 && n > openAt ? extra : 0);
  const firstOf = (y: number) =>
    Math.floor((openAt >= 0 && y > (openAt + 1) * rowHeight ? y - extra : y) / rowHeight);
  const first = Math.max(0, firstOf(Math.max(0, top)) - spare);
  const last = Math.min(count - 1, firstOf(top + height) + spare);
  const firstPage = Math.floor(first / pageSize);
  const lastPage = Math.floor(Math.max(first, last) / pageSize);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version of the list is asked for again.
  useEffect(() => {
    for (let page = firstPage; page <= lastPage; page++) need(page);
  }, [firstPage, lastPage, version, need]);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target =
      event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('[data-row]') : null;
    if (step === undefined || !target) return;
    event.preventDefault();
    const next = Math.min(count - 1, Math.max(0, Number(target.dataset.row) + step));
    const element = scroller.current;
    if (!element) return;
    const y = topOf(next);
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + rowHeight > element.scrollTop + height) element.scrollTop = y + rowHeight - height;
    requestAnimationFrame(() => element.querySelector<HTMLElement>(`[data-row="${next}"] button`)?.focus());
  };

  if (total === 0) {
    return (
      <p className="cases-empty dim" data-testid="cases-empty">
        {filtered
          ? 'No case fits.'
          : 'Nothing here yet. Open a study and ask about it: each question becomes a run of its case.'}
      </p>
    );
  }
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the rows inside are the buttons; arrow keys bubble to one place.
    <div
      ref={scroller}
      className="case-list"
      data-testid="case-list"
      data-own-arrows=""
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <ul style={{ height: count * rowHeight + extra }} aria-label="Cases">
        {shown.map((n) => {
          const row = rowAt(n);
          return (
            <li
              key={n}
              className="case-place"
              data-row={n}
              aria-setsize={count}
              aria-posinset={n + 1}
              style={{ transform: `translateY(${topOf(n)}px)` }}
            >
              {row ? (
                <CaseItem
                  row={row}
                  isOpen={row.caseId === openCase}
                  onToggle={() => unfold(row.caseId === openCase ? null : row.caseId)}
                />
              ) : (
                <div className="case-item case-waiting" aria-hidden="true" />
              )}
              {row && row.caseId === openCase && (
                <div ref={runs}>
                  <CaseRuns row={row} />
                </div>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function findRow(pages: ReadonlyMap<number, readonly { readonly caseId: string }[]>, caseId: string): number {
  for (const [page, rows] of pages) {
    const at = rows.findIndex((row) => row.caseId === caseId);
    if (at >= 0) return page * pageSize + at;
  }
  return -1;
}
