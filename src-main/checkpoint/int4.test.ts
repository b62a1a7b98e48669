/** int4 of the embedded model, where rounding hurts most: small matrices have the least to average over. */
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { loadChatTokenizer } from '../engine/tokenizer/chat-tokenizer.ts';
import { QwenImageProcessor } from '../engine/vision/image-processor.ts';
import { convertCheckpoint } from './convert.ts';
import { cosine, type Piece, TestContainer } from './testing/run-container.ts';
import { scratchFolder } from './testing/scratch.ts';

const model = path.resolve(import.meta.dirname, '../../resources/models/readroom-mini');

/** A phantom: an ellipse of tissue with two dark lungs and a bright spot, which is what the model was trained on. */
function phantom(size: number) {
  const inside = (x: number, y: number, [cx, cy, rx, ry]: readonly [number, number, number, number]) =>
    ((x / size - cx) / rx) ** 2 + ((y / size - cy) / ry) ** 2 < 1;
  const data = Uint8Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size, Math.floor(i / size)];
    if (inside(x, y, [0.32, 0.45, 0.05, 0.05])) return 220;
    if (inside(x, y, [0.32, 0.5, 0.14, 0.25]) || inside(x, y, [0.68, 0.5, 0.14, 0.25])) return 35;
    return inside(x, y, [0.5, 0.5, 0.42, 0.36]) ? 130 : 5;
  });
  return { width: size, height: size, channels: 1 as const, data };
}

it('keeps the logits of the embedded model within a cosine of 0.99', async () => {
  const tokenizer = await loadChatTokenizer(model);
  const processor = await QwenImageProcessor.load(model);
  const images = [phantom(256), phantom(224)];
  const text = [
    '<|im_start|>user\n<|vision_start|>',
    '<|vision_end|>Is there a lesion in the image?\n\nA. yes\nB. no<|im_end|>\n<|im_start|>assistant\n' +
      '<think>Searching the image. A lesion at <|box_start|>[30,44,42,56]<|box_end|><|vision_start|>',
    '<|vision_end|>The crop shows a solid lesion, brighter, small, upper left. Answer: yes, A.</think>\nA. yes',
  ];
  const logits: Float32Array[] = [];
  let vocab = 0;
  let words: boolean[] = [];
  for (const precision of ['fp32', 'int4'] as const) {
    const out = path.join(await scratchFolder(), precision);
    await convertCheckpoint({ source: model, out, precision });
    const container = await TestContainer.open(out);
    onTestFinished(() => container.release());
    const pieces: Piece[] = [];
    words = [];
    for (const [index, part] of text.entries()) {
      const ids = tokenizer.encode(part);
      pieces.push({ ids });
      words.push(...ids.map(() => true));
      const image = images[index];
      if (!image) continue;
      const { width, height } = processor.processedImage(image);
      const { patchSize } = container.manifest.architecture.vision;
      const grid = { gridHeight: height / patchSize, gridWidth: width / patchSize };
      const features = await container.encode(
        processor.toPixelValues([image]),
        grid.gridHeight,
        grid.gridWidth,
      );
      pieces.push({ ...grid, features });
      words.push(...Array<boolean>((grid.gridHeight * grid.gridWidth) / 4).fill(false));
    }
    logits.push(await container.logits(pieces, 256));
    vocab = container.manifest.architecture.text.vocab;
  }
  const [exact, quantised] = logits as [Float32Array, Float32Array];
  const row = (values: Float32Array, at: number) => values.subarray(at * vocab, (at + 1) * vocab);
  const likeness = Array.from({ length: exact.length / vocab }, (_, at) =>
    cosine(row(quantised, at), row(exact, at)),
  );
  expect(words).toHaveLength(likeness.length);
  const worst = Math.min(...likeness.filter((_, at) => words[at]));
  console.info(
    `int4 cosine: ${cosine(quantised, exact).toFixed(4)} in all, ${worst.toFixed(3)} at the worst word`,
  );
  expect(cosine(quantised, exact)).toBeGreaterThan(0.99);
  expect(likeness.reduce((sum, each) => sum + each, 0) / likeness.length).toBeGreaterThan(0.99);
  // Single positions are worse. At image tokens nothing is ever said, so their logits mean nothing and are left out here.
  expect(worst).toBeGreaterThan(0.9);
});
