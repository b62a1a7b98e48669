/** Text of a number field. */

/** @returns null for what is no number in the range */
export function parseNumber(text: string, min: number, max: number, whole: boolean): number | null {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value) || value < min || value > max) return null;
  return whole && !Number.isInteger(value) ? null : value;
}
