/** The paper's figure: what the application asks the project's process besides project-protocol.ts. */
import { z } from 'zod';
import { imagePixelsSchema } from './engine-protocol.ts';
import { idSchema } from './review.ts';
import {
  limitsSchema,
  modelFactsSchema,
  optionLetters,
  optionsSchema,
  presetSchema,
  samplingSchema,
} from './run-events.ts';
import { windowSchema } from './study.ts';

const slice = z.number().int().nonnegative();
const ofFigure = { volumeRunId: idSchema, slice };
/** Slices as the model got them, those that `figureSlices` named. */
const pictures = z.array(z.object({ slice, image: imagePixelsSchema })).max(20);

export const figureMethods = {
  /** How the 2D questions on a cuboid's slices are to be asked, and on which slices they were not asked yet. */
  slicePlan: {
    params: z.strictObject({ volumeRunId: idSchema, every: z.number().int().min(1) }),
    result: z.object({
      title: z.string(),
      seriesId: z.string().nullable(),
      question: z.string(),
      options: optionsSchema,
      expected: z.enum(optionLetters).nullable(),
      preset: presetSchema,
      sampling: samplingSchema.omit({ repetitionPenalty: true }),
      limits: limitsSchema,
      model: modelFactsSchema.pick({ modelHash: true, name: true, precision: true }),
      window: windowSchema.nullable(),
      slices: z.array(slice),
    }),
  },
  /** Whose pixels the figure needs: the project has none. */
  figureSlices: {
    params: z.strictObject(ofFigure),
    result: z.object({
      title: z.string(),
      seriesId: z.string().nullable(),
      /** With the window that the 2D run on the slice was asked with. */
      slices: z.array(z.object({ slice, window: windowSchema.nullable() })),
    }),
  },
  figure: { params: z.strictObject({ ...ofFigure, pictures }), result: z.object({ svg: z.string() }) },
  /** The file's suffix says whether SVG, PNG or PDF. */
  saveFigure: {
    params: z.strictObject({ ...ofFigure, pictures, file: z.string().min(1).max(32_768) }),
    result: z.object({}),
  },
} as const;
