/**
 * Work on checkpoints that takes a process of its own for as long as it lasts: finding out what a folder holds, and
 * converting it. The main process would otherwise be busy with tensors while the window waits for it.
 */
import { z } from 'zod';
import { errorPayloadSchema } from '../../../src-contract/errors.ts';
import { precisionSchema } from '../../../src-contract/run-events.ts';

/** The first message to the process: its one task. */
export const modelTaskSchema = z.discriminatedUnion('task', [
  z.object({ task: z.literal('describe'), folder: z.string(), cacheRoot: z.string() }),
  z.object({
    task: z.literal('convert'),
    folder: z.string(),
    cacheRoot: z.string(),
    precision: precisionSchema,
  }),
]);
export type ModelTask = z.infer<typeof modelTaskSchema>;

export const modelDescriptionSchema = z.object({
  parameters: z.number(),
  sourceBytes: z.number(),
  precisions: z.array(
    z.object({
      precision: precisionSchema,
      /** Of the container on disk. */
      bytes: z.number(),
      /** Of the loaded weights. */
      memoryBytes: z.number(),
      state: z.enum(['absent', 'unfinished', 'ready']),
    }),
  ),
});
export type ModelDescription = z.infer<typeof modelDescriptionSchema>;

/** What the process says; `done` or `failed` is its last word. */
export const modelJobMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('progress'), phase: z.string(), done: z.number(), total: z.number() }),
  z.object({ kind: z.literal('described'), model: modelDescriptionSchema }),
  z.object({ kind: z.literal('converted'), containerDir: z.string() }),
  z.object({ kind: z.literal('failed'), error: errorPayloadSchema }),
]);
export type ModelJobMessage = z.infer<typeof modelJobMessageSchema>;

/** The second message, if any: stop. What was converted is kept for the next time. */
export const stopMessage = { stop: true } as const;
export const stopMessageSchema = z.object({ stop: z.literal(true) });
