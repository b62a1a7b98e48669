/**
 * Errors that a person or another process sees. Every error that crosses a process border is one of these codes with
 * a message that names the thing that failed, and a remedy that says what to do about it.
 */
import { z } from 'zod';

export const errorCodes = [
  // Input that a person chose.
  'file-not-found',
  'file-unreadable',
  'file-truncated',
  'file-malformed',
  'file-too-large',
  'format-unsupported',
  'study-empty',
  'input-invalid',
  // Model folders and containers.
  'checkpoint-missing-file',
  'checkpoint-unsupported',
  'checkpoint-malformed',
  'container-incomplete',
  'container-malformed',
  'disk-full',
  // Engine.
  'provider-unavailable',
  'engine-died',
  'engine-out-of-memory',
  'engine-busy',
  'engine-failed',
  'context-too-long',
  // Projects.
  'project-died',
  // Control flow.
  'cancelled',
  'internal',
] as const;

export const errorCodeSchema = z.enum(errorCodes);
export type ErrorCode = z.infer<typeof errorCodeSchema>;

export const errorPayloadSchema = z.object({
  code: errorCodeSchema,
  /** One sentence in plain language: what failed, naming the file or field. */
  message: z.string(),
  /** What the person can do. Absent only where there is nothing to do. */
  remedy: z.string().optional(),
  /** The file concerned, as given by the person. */
  file: z.string().optional(),
  /** The field of config.json, the DICOM tag, the tensor name… concerned. */
  field: z.string().optional(),
  /** The underlying library's own message, for a bug report. */
  detail: z.string().optional(),
});
export type ErrorPayload = z.infer<typeof errorPayloadSchema>;

type Extra = Omit<ErrorPayload, 'code' | 'message'>;

/** The one error class thrown on purpose. Anything else that is thrown is a bug and becomes `internal`. */
export class ReadroomError extends Error {
  readonly code: ErrorCode;
  readonly remedy?: string;
  readonly file?: string;
  readonly field?: string;
  readonly detail?: string;

  constructor(code: ErrorCode, message: string, extra: Extra = {}) {
    super(message);
    this.name = 'ReadroomError';
    this.code = code;
    this.remedy = extra.remedy;
    this.file = extra.file;
    this.field = extra.field;
    this.detail = extra.detail;
  }

  toPayload(): ErrorPayload {
    return errorPayloadSchema.parse(
      JSON.parse(
        JSON.stringify({
          code: this.code,
          message: this.message,
          remedy: this.remedy,
          file: this.file,
          field: this.field,
          detail: this.detail,
        }),
      ),
    );
  }

  static fromPayload(payload: ErrorPayload): ReadroomError {
    const { code, message, ...extra } = payload;
    return new ReadroomError(code, message, extra);
  }
}

/** Turns anything caught into a ReadroomError, so that `catch` blocks at a border have one shape to send. */
export function toReadroomError(
  thrown: unknown,
  fallback: ErrorCode = 'internal',
  extra: Extra = {},
): ReadroomError {
  if (thrown instanceof ReadroomError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ReadroomError(fallback, message, extra);
}

/** Exhaustiveness check for switches over a union (the habit is Signal's `missingCaseError`). */
export function missingCase(value: never): never {
  throw new ReadroomError('internal', `Unhandled case: ${JSON.stringify(value)}`);
}
