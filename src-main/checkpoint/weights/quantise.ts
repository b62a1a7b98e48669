/**
 * Blocks of 32 weights as small integers with a scale, in the layout of ONNX Runtime's MatMulNBits.
 *
 * int4 has a zero point a block: weight = (q - zero) * scale, q in 0..15. Rounding to the nearest level of the block's
 * full range wastes levels on outliers, so a few narrower ranges are tried too, each with the scale that fits its own
 * rounding best in the least-squares sense, and the one with the smallest squared error is kept.
 * int8 is symmetric: weight = (q - 128) * scale.
 *
 * Source of the layout: ONNX Runtime, contrib operator MatMulNBits.
 */
import { blocksPerRow, blockSize as sharedBlockSize, zeroPointBytes } from './weight-job.ts';

/** A constant of this module: an imported binding costs a look-up in the innermost loops under some bundlers. */
const blockSize = sharedBlockSize;

export interface QuantisedRows {
  /** [rows, blocks, 16 or 32] */
  readonly packed: Uint8Array;
  /** [rows, blocks] */
  readonly scales: Float32Array;
  /** [rows, ceil(blocks/2)], int4 only: two zero points a byte, the even block's in the low half. */
  readonly zeros: Uint8Array;
}

const levels4 = 15;

/** Shares of the block's range that are tried. */
const shrinks = [1, 0.93, 0.86, 0.79, 0.72];

/** @param values [rows, columns] row-major; a partial last block is filled with zeros */
export function quantiseInt4(values: Float32Array, rows: number, columns: number): QuantisedRows {
  const blocks = blocksPerRow(columns);
  const zeroBytes = zeroPointBytes(blocks);
  const packed = new Uint8Array((rows * blocks * blockSize) / 2);
  const scales = new Float32Array(rows * blocks);
  const zeros = new Uint8Array(rows * zeroBytes);
  const block = new Float64Array(blockSize);
  const best = new Uint8Array(blockSize);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      loadBlock(block, values, row * columns + b * blockSize, Math.min(blockSize, columns - b * blockSize));
      const { scale, zero } = fitInt4(block, best);
      const at = row * blocks + b;
      scales[at] = scale;
      zeros[row * zeroBytes + (b >> 1)]! |= zero << ((b & 1) * 4);
      const out = (at * blockSize) / 2;
      for (let i = 0; i < blockSize; i += 2) packed[out + i / 2] = best[i]! | (best[i + 1]! << 4);
    }
  }
  return { packed, scales, zeros };
}

function loadBlock(block: Float64Array, values: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) block[i] = values[from + i]!;
  for (let i = count; i < blockSize; i++) block[i] = 0;
}

/** Fills `best` with the levels and returns what decodes them. */
function fitInt4(block: Float64Array, best: Uint8Array): { scale: number; zero: number } {
  // Zero has to be a level: it is what padding and many weights are.
  let low = 0;
  let high = 0;
  for (let i = 0; i < blockSize; i++) {
    const value = block[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low === high) {
    best.fill(0);
    return { scale: 1, zero: 0 };
  }
  let bestGain = -1;
  let bestScale = 1;
  let bestInverse = 0;
  let bestZero = 0;
  for (let s = 0; s < shrinks.length; s++) {
    const shrink = shrinks[s]!;
    const inverse = levels4 / ((high - low) * shrink);
    const zero = Math.min(levels4, Math.floor(-low * shrink * inverse + 0.5));
    // Two sums that don't wait for each other, and whole numbers where they will do: most of a conversion's time is here.
    let even = 0;
    let odd = 0;
    let norm = 0;
    for (let i = 0; i < blockSize; i += 2) {
      const first = levelOf(block[i]!, inverse, zero) - zero;
      const second = levelOf(block[i + 1]!, inverse, zero) - zero;
      even += first * block[i]!;
      odd += second * block[i + 1]!;
      norm = (norm + Math.imul(first, first) + Math.imul(second, second)) | 0;
    }
    const dot = even + odd;
    // With the best scale dot/norm the squared error is |w|^2 - dot^2/norm.
    const gain = norm === 0 ? 0 : (dot * dot) / norm;
    if (gain > bestGain && dot > 0) {
      bestGain = gain;
      bestScale = dot / norm;
      bestInverse = inverse;
      bestZero = zero;
    }
  }
  for (let i = 0; i < blockSize; i++) best[i] = levelOf(block[i]!, bestInverse, bestZero);
  return { scale: bestScale, zero: bestZero };
}

/** The nearest of the levels 0..15. Truncation rounds down only where the clamp doesn't care: below 0. */
function levelOf(value: number, inverse: number, zero: number): number {
  const level = (value * inverse + zero + 0.5) | 0;
  return level < 0 ? 0 : level > levels4 ? levels4 : level;
}

/** @param values [rows, columns] row-major; a partial last block is filled with zeros */
export function quantiseInt8(values: Float32Array, rows: number, columns: number): QuantisedRows {
  const blocks = blocksPerRow(columns);
  const packed = new Uint8Array(rows * blocks * blockSize).fill(128);
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    for (let b = 0; b < blocks; b++) {
      const from = row * columns + b * blockSize;
      const count = Math.min(blockSize, columns - b * blockSize);
      let largest = 0;
      for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(values[from + i]!));
      if (largest === 0) continue;
      const at = row * blocks + b;
      scales[at] = largest / 127;
      const inverse = 127 / largest;
      for (let i = 0; i < count; i++)
        packed[at * blockSize + i] = Math.round(values[from + i]! * inverse) + 128;
    }
  }
  return { packed, scales, zeros: new Uint8Array(0) };
}
