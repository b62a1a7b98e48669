/**
 * What a run needs to know of the pixels it is about: the images the model will see, the way back to the patient, and
 * where they came from. Made by prepare-study.ts (any open study) and prepare-reference.ts (the reference's own input).
 */
import type { AffineChain } from '../../src-contract/geometry.ts';
import type { SourceFile } from '../../src-contract/study.ts';
import type { TraceSeries } from '../../src-contract/trace.ts';
import type { ImagePixels } from '../engine/language-model.ts';

export interface PreparedInput {
  readonly mode: '2d' | '3d';
  /** One image (2D), or the slices of the model grid in order (3D); before the model's own resize. */
  readonly images: readonly ImagePixels[];
  /** Up to the grid; the processor's size is filled in when the model is known. */
  readonly chain: AffineChain;
  readonly sources: readonly SourceFile[];
  readonly series: TraceSeries | null;
  readonly synthetic: boolean;
  /** How values became 8 bit, in words; null where the file's own 8-bit pixels were taken. */
  readonly normalization: string | null;
  /** For the first line of output: name, modality, size. */
  readonly title: string;
  readonly warnings: readonly string[];
}
