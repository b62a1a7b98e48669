/** Files that could not be read, each with the reason and what to do about it. */
import type { ReactElement } from 'react';
import type { ErrorPayload } from '../../src-contract/errors.ts';
import type { StudyProblem } from '../../src-contract/study.ts';

/** More than these are counted, not listed: a folder of ten thousand broken files is one message. */
const most = 200;

const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

const nameOf = ({ path, member }: StudyProblem): string =>
  member ? `${baseName(path)} › ${member}` : baseName(path);

/** What is wrong, without the file's name, which stands above it. */
function reasonOf({ path, member, error: { message } }: StudyProblem): string {
  const prefix = [`${path}: ${member}: `, `${path}: `].find((one) => message.startsWith(one)) ?? '';
  const reason = message.slice(prefix.length);
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

/** A message that names its file without the folders before it: those say more of the person than of the file. */
export const withoutFolders = ({ message, file }: ErrorPayload): string =>
  file ? message.replaceAll(file, baseName(file)) : message;

export function ProblemList({ problems }: { problems: readonly StudyProblem[] }): ReactElement {
  return (
    <ul className="problems" data-testid="problems">
      {problems.slice(0, most).map((problem, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list of one study never changes
        <li key={n}>
          <span className="problem-file">{nameOf(problem)}</span>
          <span>{reasonOf(problem)}</span>
          {problem.error.remedy ? <span className="dim">{problem.error.remedy}</span> : null}
        </li>
      ))}
      {problems.length > most ? <li className="dim">and {problems.length - most} more</li> : null}
    </ul>
  );
}
