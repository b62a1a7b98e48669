/**
 * preprocessor_config.json (or the `image_processor` part of transformers 5's processor_config.json) as Readroom
 * needs it. Old files bound the area by min_pixels / max_pixels, newer ones by size.shortest_edge / longest_edge
 * (areas too, whatever the names say); the old keys win where both are there, as in transformers.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ResampleFilter } from '../../slices/fixed-point-resample.ts';

/** Whose arithmetic: Pillow and numpy (the 'slow' processors) or torchvision (the 'fast' ones). */
export type ImageBackend = 'pil' | 'torchvision';

export interface ImageProcessorConfig {
  /** image_processor_type as the checkpoint has it. */
  readonly type: string;
  readonly backend: ImageBackend;
  /** Areas in pixels. */
  readonly minPixels: number;
  readonly maxPixels: number;
  readonly patchSize: number;
  readonly mergeSize: number;
  readonly temporalPatchSize: number;
  readonly filter: ResampleFilter;
  readonly rescaleFactor: number;
  /** Of values rescaled to 0..1, per channel. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * What each name meant to the version of transformers that wrote it. transformers 5 uses the bare name for its
 * torchvision class, but writes it into processor_config.json, so the place tells the two apart (see
 * `parseImageProcessorConfig`).
 */
const backendOfType: Readonly<Record<string, ImageBackend>> = {
  Qwen2VLImageProcessor: 'pil',
  Qwen2VLImageProcessorPil: 'pil',
  Qwen2VLImageProcessorFast: 'torchvision',
  Qwen2_5_VLImageProcessor: 'pil',
};

const filterOfResample: Readonly<Record<number, ResampleFilter>> = { 2: 'bilinear', 3: 'bicubic' };

const triple = z.tuple([z.number(), z.number(), z.number()]);
const area = z.number().int().positive();
const side = z.number().int().positive().max(1024);

const fileSchema = z.object({
  image_processor_type: z.string(),
  min_pixels: area.nullish(),
  max_pixels: area.nullish(),
  size: z
    .object({
      shortest_edge: area.nullish(),
      longest_edge: area.nullish(),
      min_pixels: area.nullish(),
      max_pixels: area.nullish(),
    })
    .nullish(),
  patch_size: side.default(14),
  temporal_patch_size: side.default(2),
  merge_size: side.default(2),
  resample: z.number().int().default(3),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  // OpenAI's CLIP statistics, transformers' default for this family.
  image_mean: triple.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: triple.default([0.26862954, 0.26130258, 0.27577711]),
  do_resize: z.boolean().default(true),
  do_rescale: z.boolean().default(true),
  do_normalize: z.boolean().default(true),
});

const DEFAULT_MIN_PIXELS = 56 * 56;
const DEFAULT_MAX_PIXELS = 28 * 28 * 1280;

function refuse(file: string, field: string, why: string): ReadroomError {
  return new ReadroomError('checkpoint-unsupported', `${file}: ${field} ${why}.`, {
    file,
    field,
    remedy: 'Use a checkpoint of the Qwen2.5-VL family with its own preprocessor_config.json.',
  });
}

/**
 * Reads the parsed JSON of a processor configuration.
 * @param file where it came from, for messages.
 * @param nested true for the `image_processor` part of a processor_config.json: only transformers 5 writes that, and
 *   there the bare name Qwen2VLImageProcessor is the torchvision class.
 * @throws ReadroomError 'checkpoint-malformed' when a field has the wrong shape, 'checkpoint-unsupported' when it asks
 *   for something else than this family does; both name the field.
 */
export function parseImageProcessorConfig(json: unknown, file: string, nested = false): ImageProcessorConfig {
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue.path.join('.');
    throw new ReadroomError(
      'checkpoint-malformed',
      `${file}: ${field || 'the file'} is not usable: ${issue.message}.`,
      {
        file,
        field,
        remedy: 'Copy the file again from the checkpoint.',
      },
    );
  }
  const fields = parsed.data;
  const type = fields.image_processor_type;
  const named = backendOfType[type];
  if (named === undefined) {
    throw refuse(
      file,
      'image_processor_type',
      `is '${type}'; known are ${Object.keys(backendOfType).join(', ')}`,
    );
  }
  const filter = filterOfResample[fields.resample];
  if (filter === undefined)
    throw refuse(file, 'resample', `is ${fields.resample}; known are 2 (bilinear), 3 (bicubic)`);
  for (const step of ['do_resize', 'do_rescale', 'do_normalize'] as const) {
    if (!fields[step]) throw refuse(file, step, 'is false, which the vision tower was not trained with');
  }
  const { size } = fields;
  const minPixels = fields.min_pixels ?? size?.shortest_edge ?? size?.min_pixels ?? DEFAULT_MIN_PIXELS;
  const maxPixels = fields.max_pixels ?? size?.longest_edge ?? size?.max_pixels ?? DEFAULT_MAX_PIXELS;
  if (minPixels > maxPixels)
    throw refuse(file, 'min_pixels', `is ${minPixels}, above max_pixels ${maxPixels}`);
  return {
    type,
    backend: nested && type === 'Qwen2VLImageProcessor' ? 'torchvision' : named,
    minPixels,
    maxPixels,
    patchSize: fields.patch_size,
    mergeSize: fields.merge_size,
    temporalPatchSize: fields.temporal_patch_size,
    filter,
    rescaleFactor: fields.rescale_factor,
    mean: fields.image_mean,
    std: fields.image_std,
  };
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ReadroomError('file-unreadable', `${file} cannot be read.`, { file, detail: String(problem) });
  }
  try {
    return JSON.parse(text);
  } catch (problem) {
    throw new ReadroomError('checkpoint-malformed', `${file} is not JSON.`, {
      file,
      detail: String(problem),
    });
  }
}

/**
 * The image processor of a checkpoint or container folder. Like transformers, it prefers the `image_processor` part
 * of processor_config.json to preprocessor_config.json.
 * @throws ReadroomError 'checkpoint-missing-file' when there is neither; else as `parseImageProcessorConfig`.
 */
export async function readImageProcessorConfig(folder: string): Promise<ImageProcessorConfig> {
  const combined = join(folder, 'processor_config.json');
  const whole = await readJson(combined);
  const part = (whole as { image_processor?: unknown } | null | undefined)?.image_processor;
  if (part !== undefined) return parseImageProcessorConfig(part, combined, true);
  const own = join(folder, 'preprocessor_config.json');
  const json = await readJson(own);
  if (json === undefined) {
    throw new ReadroomError('checkpoint-missing-file', `${own} is missing: it says how images are resized.`, {
      file: own,
      remedy: "Copy preprocessor_config.json from the checkpoint's repository into the folder.",
    });
  }
  return parseImageProcessorConfig(json, own);
}
