/** Which way the patient lies in a picture: letters at its edges, as viewers and DICOM (PS3.3 C.7.6.1.1.1) have them. */

export interface EdgeLetters {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

/** LPS: towards the patient's left, back and head, and the other way. */
const ends = [
  ['L', 'R'],
  ['P', 'A'],
  ['S', 'I'],
] as const;

/** Share of a direction below which its letter is not worth a mention: 15 degrees off an axis. */
const slight = Math.sin((15 * Math.PI) / 180);

function letters(direction: readonly number[], sign: 1 | -1): string {
  const length = Math.hypot(...direction) || 1;
  return direction
    .map((part, axis) => ({ share: (sign * part) / length, axis }))
    .filter(({ share }) => Math.abs(share) >= slight)
    .sort((a, b) => Math.abs(b.share) - Math.abs(a.share))
    .map(({ share, axis }) => ends[axis][share > 0 ? 0 : 1])
    .join('');
}

/**
 * Columns to the right, rows down.
 * @param pictureToPatient row-major 3x4, [column, row, slice] to LPS millimetres; null where the file has no position
 */
export function edgeLetters(pictureToPatient: readonly number[] | null): EdgeLetters | null {
  if (!pictureToPatient) return null;
  const column = (axis: number) => [0, 1, 2].map((row) => pictureToPatient[row * 4 + axis]);
  const [across, down] = [column(0), column(1)];
  return {
    left: letters(across, -1),
    right: letters(across, 1),
    top: letters(down, -1),
    bottom: letters(down, 1),
  };
}

/** Millimetres a pixel along columns and rows; null where the file has no position. */
export function pixelSize(pictureToPatient: readonly number[] | null): readonly [number, number] | null {
  if (!pictureToPatient) return null;
  const length = (axis: number) => Math.hypot(...[0, 1, 2].map((row) => pictureToPatient[row * 4 + axis]));
  return [length(0), length(1)];
}
