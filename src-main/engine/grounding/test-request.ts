/** Requests for tests: images with a gradient, and the identity chain. */
import {
  type RunRequest,
  type RunRequestInput,
  runRequestSchema,
} from '../../../src-contract/engine-protocol.ts';
import { type AffineChain, identityAffine } from '../../../src-contract/geometry.ts';
import type { ImagePixels } from '../language-model.ts';

export function gradient(width: number, height: number, seed = 0): ImagePixels & { data: Uint8Array } {
  const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 7 + seed * 31) % 256);
  return { width, height, channels: 1, data };
}

/** Source, canonical and grid are one; the processor's pixels lie on it by the half-pixel rule. */
export function plainChain(
  source: [number, number, number],
  processor: [number, number, number],
): AffineChain {
  const scale = [source[0] / processor[0], source[1] / processor[1]];
  return {
    sourceToPatient: [-2, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, 30],
    canonicalToSource: [...identityAffine],
    gridToCanonical: [...identityAffine],
    processorToGrid: [scale[0], 0, 0, 0.5 * scale[0] - 0.5, 0, scale[1], 0, 0.5 * scale[1] - 0.5, 0, 0, 1, 0],
    sourceSize: source,
    canonicalSize: source,
    gridSize: source,
    processorSize: processor,
    serialization: 'image',
  };
}

/** One 50 x 50 image (2D), or four slices of it (3D); the fake model's processor makes 56 x 56 of it. */
export function testRequest(change: Partial<RunRequestInput> = {}): RunRequest {
  const depth = change.mode === '3d' ? 4 : 1;
  return runRequestSchema.parse({
    runId: 'test',
    mode: '2d',
    images: Array.from({ length: depth }, (_, slice) => gradient(50, 50, slice)),
    promptText: 'Where?',
    limits: { maxNewTokens: 512, maxRounds: 10, tokensPerRound: 256 },
    chain: plainChain([50, 50, depth], [56, 56, depth]),
    ...change,
  });
}
