/** Reading the small text files of a checkpoint or container folder, with errors that name the file. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';

const tokenSchema = z.union([z.string(), z.object({ content: z.string() })]).nullish();

/** The fields of tokenizer_config.json that are read here; the rest goes to the tokenizer library unread. */
export const tokenizerConfigSchema = z.looseObject({
  bos_token: tokenSchema,
  eos_token: tokenSchema,
  pad_token: tokenSchema,
  unk_token: tokenSchema,
  chat_template: z.unknown().optional(),
});
export type TokenizerConfig = z.infer<typeof tokenizerConfigSchema>;

/** The fields of tokenizer.json that are checked before the library sees it. */
export const tokenizerFileSchema = z.looseObject({
  model: z.looseObject({ type: z.string().optional(), vocab: z.record(z.string(), z.number().int()) }),
  decoder: z.looseObject({ type: z.string() }).nullish(),
  added_tokens: z.array(z.looseObject({ id: z.number().int(), content: z.string() })).default([]),
});

/** Special tokens are written as a text or as an AddedToken object. */
export function textOfToken(token: z.infer<typeof tokenSchema>): string | undefined {
  if (token === null || token === undefined) return undefined;
  return typeof token === 'string' ? token : token.content;
}

/** Contents of a file, or undefined when it is not there. Throws 'file-unreadable' for any other failure. */
export async function readOptional(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toReadroomError(thrown, 'file-unreadable', { file: join(folder, name) });
  }
}

/** Parsed JSON. Throws 'checkpoint-missing-file' (unless optional: undefined) or 'checkpoint-malformed'. */
export async function readJson(
  folder: string,
  name: string,
  options: { optional?: boolean } = {},
): Promise<unknown> {
  const text = await readOptional(folder, name);
  if (text === undefined) {
    if (options.optional) return undefined;
    throw new ReadroomError('checkpoint-missing-file', `The model folder has no ${name}.`, {
      file: join(folder, name),
      remedy: 'Copy it from the original checkpoint and convert again.',
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new ReadroomError('checkpoint-malformed', `${name} is no valid JSON.`, {
      file: join(folder, name),
      detail: toReadroomError(thrown).message,
      remedy: 'Copy it from the original checkpoint and convert again.',
    });
  }
}

/** `readJson` checked against a schema; the error names the first field that is wrong. */
export async function readChecked<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await readJson(folder, name));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue.path.join('.');
  throw new ReadroomError('checkpoint-malformed', `${name}: field ${field || '(top level)'} is wrong.`, {
    file: join(folder, name),
    field,
    detail: issue.message,
  });
}
