/** Why app:// refused to serve pixels. */
import { errorPayloadSchema, ReadroomError } from '../../../src-contract/errors.ts';

/** The main side's own reason, where the answer holds one. */
export async function refusal(answer: Response, otherwise: string): Promise<ReadroomError> {
  const body: unknown = await answer.json().catch(() => null);
  const payload = errorPayloadSchema.safeParse(body);
  return payload.success ? ReadroomError.fromPayload(payload.data) : new ReadroomError('internal', otherwise);
}
