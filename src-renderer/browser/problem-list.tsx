/** Files that could not be read, each with the reason and what to do about it. */
import type { ReactElement } from 'react';
import type { StudyProblem } from '../../src-contract/study.ts';

/** More than these are counted, not listed: a folder of ten thousand broken files is one message. */
const most = 200;

const nameOf = ({ path, member }: StudyProblem): string => {
  const file = path.split(/[\\/]/).at(-1) ?? path;
  return member ? `${file} › ${member}` : file;
};

export function ProblemList({ problems }: { problems: readonly StudyProblem[] }): ReactElement {
  return (
    <ul className="problems" data-testid="problems">
      {problems.slice(0, most).map((problem, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list of one study never changes
        <li key={n}>
          <span className="problem-file">{nameOf(problem)}</span>
          <span>{problem.error.message}</span>
          {problem.error.remedy ? <span className="dim">{problem.error.remedy}</span> : null}
        </li>
      ))}
      {problems.length > most ? <li className="dim">and {problems.length - most} more</li> : null}
    </ul>
  );
}
