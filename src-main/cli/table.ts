/** Tables for a terminal. */

/** Columns as wide as their widest cell, two blanks between them; numbers are right-aligned where `right` says so. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => [...(cells[column] ?? '')].length)),
  );
  const pad = (cell: string, column: number) => {
    const blanks = ' '.repeat(Math.max(0, widths[column] - [...cell].length));
    return right.includes(column) ? blanks + cell : cell + blanks;
  };
  return rows.map((cells) => `${cells.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** '0.612 [0.480, 0.731]'; '–' for what is not defined. */
export function formatEstimate({
  value,
  low,
  high,
}: {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}): string {
  if (value === null) return '–';
  return low === null || high === null
    ? value.toFixed(3)
    : `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}
