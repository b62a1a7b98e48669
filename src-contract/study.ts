/**
 * What a study is once it is open: series of slices with geometry, and the files that could not be read.
 * Pixels do not travel with these descriptions; see src-main/study/pixels.ts.
 */
import { z } from 'zod';
import { errorPayloadSchema } from './errors.ts';
import { affineSchema } from './geometry.ts';

export const sourceFileSchema = z.object({
  path: z.string(),
  /** Member of a zip archive, where the path is the archive. */
  member: z.string().optional(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string().length(64),
  /** DICOM SOP Instance UID, where there is one. */
  sopInstanceUid: z.string().optional(),
});
export type SourceFile = z.infer<typeof sourceFileSchema>;

export const formats = ['dicom', 'nifti', 'metaimage', 'nrrd', 'npy', 'npz', 'png', 'jpeg', 'tiff'] as const;
export const formatSchema = z.enum(formats);
export type Format = z.infer<typeof formatSchema>;

export const windowSchema = z.object({ center: z.number(), width: z.number().positive() });
export type Window = z.infer<typeof windowSchema>;

export const seriesSchema = z.object({
  /** Stable within a study: derived from the sources, so that it survives reopening. */
  id: z.string(),
  format: formatSchema,
  /** DICOM modality code where known (CT, MR, CR, DX, …), else 'OT'. */
  modality: z.string(),
  description: z.string(),
  /** 'volume': slices of one geometry, evenly spaced. 'image': one 2D image. 'stack': slices that form no volume. */
  kind: z.enum(['volume', 'image', 'stack']),
  columns: z.number().int().positive(),
  rows: z.number().int().positive(),
  slices: z.number().int().positive(),
  /** 1 for scalar pixels, 3 for RGB. */
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Millimetres per voxel along i, j, k; null when unknown. */
  spacing: z.tuple([z.number(), z.number(), z.number()]).nullable(),
  /** source voxel index -> patient LPS millimetres; null when the file carries no position. */
  sourceToPatient: affineSchema.nullable(),
  /** value = stored * slope + intercept (HU for CT). Already applied to the pixels that `readPixels` returns. */
  windows: z.array(windowSchema),
  /** Units of the values that `readPixels` returns: 'HU', '' when unknown. */
  units: z.string(),
  /** True when the project, or the file's own header, says that something in it is synthetic. */
  synthetic: z.boolean(),
  sources: z.array(sourceFileSchema),
  /** Things a reader should know: gaps between slices, overlapping positions, ignored frames… */
  warnings: z.array(z.string()),
  /** Study date, patient name… kept apart so that displays are de-identified by default. */
  identifiers: z.record(z.string(), z.string()),
});
export type Series = z.infer<typeof seriesSchema>;

export const studyProblemSchema = z.object({
  path: z.string(),
  member: z.string().optional(),
  error: errorPayloadSchema,
});
export type StudyProblem = z.infer<typeof studyProblemSchema>;

export const studySchema = z.object({
  title: z.string(),
  series: z.array(seriesSchema),
  /** Files that could not be read, each with the reason. */
  problems: z.array(studyProblemSchema),
  /** Files that are no images (reports, DICOMDIR, notes), skipped without complaint. */
  skipped: z.array(z.string()),
});
export type Study = z.infer<typeof studySchema>;

/** One line of `readroom inspect --json`: stored values are those in the file, before any rescale. */
export const inspectionSchema = z.object({
  file: z.string(),
  ok: z.boolean(),
  error: errorPayloadSchema.optional(),
  format: formatSchema.optional(),
  modality: z.string().optional(),
  transferSyntax: z.string().optional(),
  rows: z.number().int().optional(),
  columns: z.number().int().optional(),
  frames: z.number().int().optional(),
  channels: z.number().int().optional(),
  stored: z.object({ min: z.number(), max: z.number(), sum: z.number() }).optional(),
});
export type Inspection = z.infer<typeof inspectionSchema>;
