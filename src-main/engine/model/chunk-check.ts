/**
 * Do long runs give what short ones give? ONNX Runtime's WebGPU attention has a kernel of its own for 32 positions and
 * more, and on adapters with small subgroups (software ones such as SwiftShader) it computes wrong numbers without
 * saying so. Wrong numbers are worse than slow ones.
 */
import type { Manifest } from '../../checkpoint/manifest.ts';
import type { OnnxDecodeContext } from '../decode/decode-context.ts';

/** A length that stays with the kernel for short inputs. */
export const shortChunk = 16;
const probeLength = 72;
/** Relative to the largest logit: float16 runs differ by about a hundredth of it, wrong ones by a tenth and more. */
const tolerance = 0.03;

/**
 * True when a prompt read in chunks of `wanted` gives the logits that it gives in short ones.
 * @param makeContext a fresh context that reads prompts in chunks of the given length
 */
export async function chunksAgree(
  wanted: number,
  manifest: Manifest,
  makeContext: (chunk: number) => OnnxDecodeContext,
): Promise<boolean> {
  if (wanted <= shortChunk) return true;
  const ids = Array.from({ length: probeLength }, (_, i) => (i * 37 + 11) % manifest.architecture.text.vocab);
  const [long, short] = [makeContext(wanted), makeContext(shortChunk)];
  try {
    const found = await long.append([{ kind: 'tokens', ids }]);
    const expected = await short.append([{ kind: 'tokens', ids }]);
    let largest = 0;
    let difference = 0;
    for (let i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]!));
      difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    }
    return difference <= tolerance * largest;
  } finally {
    long.release();
    short.release();
  }
}
