/** Both runs in figures, and how they were asked. */
import type { Comparison } from '../../src-contract/comparison.ts';
import { formatDuration } from '../ui/format.ts';

const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));

export function SidesTable({ comparison: { a, b, differences } }: { comparison: Comparison }) {
  const rows: readonly (readonly [string, string, string])[] = [
    ['Answer', a.answer ?? 'none', b.answer ?? 'none'],
    ['Answer reward', figure(a.answerReward), figure(b.answerReward)],
    ['Format reward', figure(a.formatReward), figure(b.formatReward)],
    ['Time', time(a.totalMs), time(b.totalMs)],
    ['New tokens', String(a.newTokens ?? '–'), String(b.newTokens ?? '–')],
    ['Ended', a.stopReason ?? '–', b.stopReason ?? '–'],
  ];
  return (
    <table className="sides small">
      <caption className="visually-hidden">The two runs in figures</caption>
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
        {[...rows, ...differences.map(({ what, a: left, b: right }) => [what, left, right] as const)].map(
          ([what, left, right]) => (
            <tr key={what} data-differs={left !== right || undefined}>
              <th scope="row">{what}</th>
              <td>{left}</td>
              <td>{right}</td>
            </tr>
          ),
        )}
      </tbody>
    </table>
  );
}

const time = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms));
