/** What every decoder of compressed frames shares: its result, and checks of the stream's header against DICOM's. */
import { malformed, requireBytes } from '../../reader.ts';
import type { PixelDescription } from './pixel-description.ts';

/** One decoded frame, samples interleaved by pixel, in the stream's own number of bits. */
export interface DecodedFrame {
  samples: Uint8Array | Uint16Array | Int16Array;
  precision: number;
  /** True where the numbers in `samples` carry their sign already. */
  signed: boolean;
  /** What the stream itself says of its colours, where it does. */
  colour?: 'rgb' | 'ybr';
}

export interface StreamShape {
  rows: number;
  columns: number;
  components: number;
  precision: number;
}

/** Frames up to this size are decoded however well they are compressed. */
const freelyExpanded = 16 * 1024 ** 2;

/**
 * Holds a stream's own header against the DICOM header before any codec allocates.
 *
 * @param bestRatio Samples that the coding can make of one byte at most.
 */
export function checkShape(
  shape: StreamShape,
  pixels: PixelDescription,
  streamBytes: number,
  bestRatio: number,
  name: string,
): void {
  if (shape.rows !== pixels.rows || shape.columns !== pixels.columns) {
    throw malformed(
      name,
      `a compressed frame is ${shape.columns} x ${shape.rows}, the header says ${pixels.columns} x ${pixels.rows}`,
    );
  }
  if (shape.components !== pixels.samples) {
    throw malformed(
      name,
      `a compressed frame has ${shape.components} samples a pixel, the header says ${pixels.samples}`,
    );
  }
  if (shape.precision < 1 || shape.precision > Math.max(8, pixels.bitsAllocated)) {
    throw malformed(
      name,
      `a compressed frame has ${shape.precision} bits a sample, the header allocates ${pixels.bitsAllocated}`,
    );
  }
  const needed = shape.rows * shape.columns * shape.components;
  if (needed > freelyExpanded)
    requireBytes(streamBytes, Math.ceil(needed / bestRatio), name, 'compressed pixels');
}
