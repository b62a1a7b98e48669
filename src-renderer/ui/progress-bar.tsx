/** How far something is; moves on its own where nobody knows. */

interface Props {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

export function ProgressBar({ label, done, total }: Props) {
  return total > 0 ? (
    <progress className="progress" aria-label={label} value={Math.min(done, total)} max={total} />
  ) : (
    <progress className="progress" aria-label={label} />
  );
}
