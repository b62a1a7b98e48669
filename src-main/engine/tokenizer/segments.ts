/** Between one flat list of token ids (what transformers calls input_ids) and segments. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { ImageFeatures, Segment } from '../language-model.ts';

/**
 * Puts one image in the place of each <|image_pad|> id, in order.
 * Throws 'input-invalid' when the numbers differ: a question that spells out <|image_pad|> does that.
 */
export function splitAtImages(
  ids: readonly number[],
  imagePad: number,
  images: readonly ImageFeatures[],
): Segment[] {
  const segments: Segment[] = [];
  let run: number[] = [];
  let used = 0;
  for (const id of ids) {
    if (id !== imagePad) {
      run.push(id);
      continue;
    }
    if (run.length > 0) segments.push({ kind: 'tokens', ids: run });
    run = [];
    if (used < images.length) segments.push({ kind: 'image', features: images[used] });
    used++;
  }
  if (run.length > 0) segments.push({ kind: 'tokens', ids: run });
  if (used !== images.length) {
    throw new ReadroomError(
      'input-invalid',
      `The text has ${used} image places for ${images.length} images.`,
      {
        remedy: 'Remove <|image_pad|> from the question.',
      },
    );
  }
  return segments;
}

/** Token ids of segments with <|image_pad|> repeated for every image token. */
export function flatIds(segments: readonly Segment[], imagePad: number): number[] {
  const ids: number[] = [];
  for (const segment of segments) {
    if (segment.kind === 'tokens') for (const id of segment.ids) ids.push(id);
    else for (let i = 0; i < segment.features.tokens; i++) ids.push(imagePad);
  }
  return ids;
}
