/** Pixels and pictures of open studies under app://readroom/: what the window fetches and shows. */
import { z } from 'zod';
import { pixelTypes } from '../../../src-contract/channels.ts';
import { type ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { AppRoute } from '../app-protocol.ts';
import type { Studies } from './studies.ts';

const id = z.string().min(1).max(200);
const index = z
  .string()
  .regex(/^\d{1,7}$/)
  .transform(Number);
/** "12" is a slice, "12+8" is eight from there. */
const slices = z
  .string()
  .regex(/^\d{1,7}(\+\d{1,3})?$/)
  .transform((text) => text.split('+').map(Number))
  .transform(([slice, count = 1]) => ({ slice, count }));
const pixelPath = z.tuple([z.literal('pixels'), id, id, slices, z.enum(pixelTypes)]);
const thumbnailPath = z.tuple([z.literal('thumbnail'), id, id]);
const previewPath = z.tuple([z.literal('preview'), id]);
const modelViewPath = z.tuple([z.literal('model-view'), id, id, index]);

const thumbnailSide = 160;

function bytesResponse(bytes: Uint8Array, type: string): Response {
  // As a stream: a Response copies an array that it is given, which for megabytes a request adds up.
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-length': String(bytes.length),
      'x-content-type-options': 'nosniff',
      // The study process has them; a second copy in the browser's cache would only take memory.
      'cache-control': 'no-store',
    },
  });
}

function errorResponse(error: ReadroomError): Response {
  const status = error.field === 'type' ? 409 : error.code === 'input-invalid' ? 404 : 500;
  return new Response(JSON.stringify(error.toPayload()), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' },
  });
}

async function answer(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (thrown) {
    return errorResponse(toReadroomError(thrown));
  }
}

const binary = 'application/octet-stream';

export function pixelRoutes(studies: Studies): AppRoute[] {
  return [
    (segments, signal) => {
      const path = pixelPath.safeParse(segments);
      if (!path.success) return undefined;
      const [, studyId, seriesId, { slice, count }, type] = path.data;
      return answer(async () =>
        bytesResponse(await studies.call(studyId, 'slice', { seriesId, slice, count, type }, signal), binary),
      );
    },
    (segments, signal) => {
      const path = thumbnailPath.safeParse(segments);
      if (!path.success) return undefined;
      const [, studyId, seriesId] = path.data;
      return answer(async () =>
        bytesResponse(
          await studies.call(studyId, 'thumbnail', { seriesId, side: thumbnailSide }, signal),
          'image/png',
        ),
      );
    },
    (segments) => {
      const path = previewPath.safeParse(segments);
      if (!path.success) return undefined;
      return answer(async () => {
        const png = studies.preview(path.data[1]);
        return png ? bytesResponse(png, 'image/png') : new Response('Not found', { status: 404 });
      });
    },
    (segments, signal) => {
      const path = modelViewPath.safeParse(segments);
      if (!path.success) return undefined;
      const [, studyId, viewId, slice] = path.data;
      return answer(async () =>
        bytesResponse(await studies.call(studyId, 'modelViewSlice', { viewId, slice }, signal), binary),
      );
    },
  ];
}
