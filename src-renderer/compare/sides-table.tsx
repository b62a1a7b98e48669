/** Both runs in figures, and how they were asked. */
import type { ReactNode } from 'react';
import type { Comparison } from '../../src-contract/comparison.ts';
import type { RunRow } from '../../src-contract/project.ts';
import { formatDuration } from '../ui/format.ts';
import { useCompare } from './compare-store.ts';

const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));
const time = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms));

/** Slices are numbered as the viewer does: from 1. */
function about(rows: readonly RunRow[], runId: string): string {
  const row = rows.find((one) => one.runId === runId);
  if (!row) return '–';
  return row.mode === '3d' ? 'volume' : row.slice === null ? 'image' : `slice ${row.slice + 1}`;
}

type Row = readonly [string, string, string];

export function SidesTable({ comparison: { a, b, differences } }: { comparison: Comparison }) {
  const choices = useCompare((state) => state.choices);
  const rows: readonly Row[] = [
    ['About', about(choices.a, a.runId), about(choices.b, b.runId)],
    ['Answer', a.answer ?? 'none', b.answer ?? 'none'],
    ['Answer reward', figure(a.answerReward), figure(b.answerReward)],
    ['Format reward', figure(a.formatReward), figure(b.formatReward)],
    ['Time', time(a.totalMs), time(b.totalMs)],
    ['New tokens', String(a.newTokens ?? '–'), String(b.newTokens ?? '–')],
    ['Ended', a.stopReason ?? '–', b.stopReason ?? '–'],
  ];
  // What they were asked about is said above.
  const asked = differences.filter(({ what }) => what !== 'Target');
  return (
    <>
      <Table caption="The two runs in figures" rows={rows} />
      {asked.length > 0 && (
        <details className="asked small">
          <summary>Asked differently: {asked.map(({ what }) => what.toLowerCase()).join(', ')}</summary>
          <Table
            caption="How they were asked"
            rows={asked.map(({ what, a: left, b: right }): Row => [what, left, right])}
          />
        </details>
      )}
    </>
  );
}

function Table({ caption, rows }: { caption: string; rows: readonly Row[] }) {
  return (
    <table className="sides small">
      <caption className="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col" className="side-a">
            A
          </th>
          <th scope="col" className="side-b">
            B
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([what, left, right]) => (
          <tr key={what} data-differs={left !== right || undefined}>
            <th scope="row">{what}</th>
            <td>{shortened(left)}</td>
            <td>{shortened(right)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A prompt is folded: its beginning is there, the rest at a click. */
function shortened(text: string): ReactNode {
  if (text.length < 120) return text;
  return (
    <details>
      <summary className="link">{text.slice(0, 60)}…</summary>
      {text}
    </details>
  );
}
