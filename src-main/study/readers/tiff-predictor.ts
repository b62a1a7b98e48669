/** TIFF predictors: 2 stores differences of neighbouring samples, 3 does so for the bytes of floats (Technical Note 3). */
import { unsupported } from '../reader.ts';

/** Undoes the predictor in place. After predictor 3 the floats are little-endian. */
export function undoPredictor(
  block: Uint8Array,
  predictor: number,
  rows: number,
  columns: number,
  samples: number,
  bits: number,
  littleEndian: boolean,
  name: string,
): void {
  const rowBytes = (columns * samples * bits) / 8;
  const known =
    (predictor === 2 && [8, 16, 32].includes(bits)) || (predictor === 3 && [16, 32, 64].includes(bits));
  if (!known) {
    throw unsupported(
      name,
      `its predictor (${predictor}, ${bits} bits) is not read`,
      'Save it without a predictor.',
    );
  }
  for (let row = 0; row < rows; row++) {
    const line = block.subarray(row * rowBytes, (row + 1) * rowBytes);
    if (predictor === 3) undoFloat(line, samples, bits / 8);
    else undoDifferences(line, samples, bits, littleEndian);
  }
}

function undoDifferences(line: Uint8Array, samples: number, bits: number, littleEndian: boolean): void {
  if (bits === 8) {
    for (let i = samples; i < line.length; i++) line[i] += line[i - samples];
    return;
  }
  const view = new DataView(line.buffer, line.byteOffset, line.byteLength);
  if (bits === 16) {
    for (let i = samples * 2; i + 1 < line.length; i += 2) {
      view.setUint16(
        i,
        view.getUint16(i, littleEndian) + view.getUint16(i - samples * 2, littleEndian),
        littleEndian,
      );
    }
    return;
  }
  for (let i = samples * 4; i + 3 < line.length; i += 4) {
    view.setUint32(
      i,
      view.getUint32(i, littleEndian) + view.getUint32(i - samples * 4, littleEndian),
      littleEndian,
    );
  }
}

/** The row holds all highest bytes, then all second ones…, as differences. */
function undoFloat(line: Uint8Array, samples: number, bytes: number): void {
  for (let i = samples; i < line.length; i++) line[i] += line[i - samples];
  const planes = Uint8Array.from(line);
  const count = line.length / bytes;
  for (let i = 0; i < count; i++) {
    for (let b = 0; b < bytes; b++) line[i * bytes + b] = planes[(bytes - 1 - b) * count + i];
  }
}
