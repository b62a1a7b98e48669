/**
 * How the application speaks with a child process that offers methods: one typed channel, whatever the methods are (see
 * study-protocol.ts and project-protocol.ts for those).
 *
 * Rules
 *  1. The parent sends calls and cancels; the child sends `ready` once, then results, errors and events.
 *  2. Ids are the parent's, positive and rising. Every call is answered exactly once, by `result` or by `error`.
 *  3. Calls are begun in the order in which they were sent; their answers may come in any order.
 *  4. `cancel` is not answered itself; its call is answered with 'cancelled', or normally when it was done already.
 *  5. Events belong to no call. They come in the order in which they were sent, and before answers sent after them.
 *  6. Binary data is Uint8Array, cloned. Everything else is JSON. Errors are ErrorPayload.
 *  7. Both sides check every message. The child exits when the channel closes; its exit is an error for every open call.
 */
import { z } from 'zod';
import { errorPayloadSchema } from './errors.ts';

/** What a child offers: the schemas of each method's parameters and result. */
export type Methods = Readonly<Record<string, { readonly params: z.ZodType; readonly result: z.ZodType }>>;
export type MethodName<M extends Methods> = keyof M & string;
export type MethodParams<M extends Methods, N extends MethodName<M>> = z.output<M[N]['params']>;
export type MethodResult<M extends Methods, N extends MethodName<M>> = z.output<M[N]['result']>;

const callId = z.number().int().positive();

/** Parent to child. */
export const parentMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('call'), id: callId, method: z.string(), params: z.unknown() }),
  z.object({ kind: z.literal('cancel'), id: callId }),
]);
export type ParentMessage = z.infer<typeof parentMessageSchema>;

/** Child to parent. */
export const childMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('result'), id: callId, value: z.unknown() }),
  z.object({ kind: z.literal('error'), id: callId, error: errorPayloadSchema }),
  z.object({ kind: z.literal('event'), event: z.unknown() }),
]);
export type ChildMessage = z.infer<typeof childMessageSchema>;
