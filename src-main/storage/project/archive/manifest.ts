/** What is in an archive of a project: a zip with `readroom.json` (this), `log.jsonl`, `traces/SHA256.json`, `pixels/…`. */
import { z } from 'zod';
import { researchNotice } from '../../../../src-contract/trace.ts';

export const manifestName = 'readroom.json';
export const logName = 'log.jsonl';
export const traceName = (sha256: string): string => `traces/${sha256}.json`;
export const archiveFormat = 'readroom-archive';
export const archiveVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** One file of images: which source it stands for, and what it is itself. */
export const archivedFileSchema = z.strictObject({
  /** The source as cases name it. */
  sha256,
  /** Member of the archive; nothing of the original's name is in it. */
  name: z.string().regex(/^pixels\/[0-9a-f]{64}(\.[a-z0-9]{1,6}){0,2}$/),
  bytes: z.number().int().nonnegative(),
  /** Of the member: another one than the source's where identifiers were taken out. */
  actualSha256: sha256,
});
export type ArchivedFile = z.infer<typeof archivedFileSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal(archiveFormat),
  version: z.number().int(),
  notice: z.literal(researchNotice),
  app: z.string().max(200),
  title: z.string().max(1_000),
  entries: z.number().int().nonnegative(),
  pixels: z.enum(['none', 'de-identified']),
  files: z.array(archivedFileSchema).max(1_000_000),
});
export type Manifest = z.infer<typeof manifestSchema>;
