/**
 * JSON as Python's json.dumps writes it, so that the batch commands' files equal the reference's: ", " and ": " as
 * separators on one line (json.dumps default), or indent=2; non-ASCII kept (ensure_ascii=False).
 */
export function pythonJsonLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJsonLine).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}: ${pythonJsonLine(member)}`);
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

export function pythonJsonIndented(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
