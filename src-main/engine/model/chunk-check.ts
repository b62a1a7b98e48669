/**
 * Do long runs give what short ones give? Attention kernels for long inputs have been wrong on some GPU adapters
 * (ONNX Runtime 1.30 WebGPU: 32 positions and more with subgroups of 4), and wrong numbers are worse than slow ones.
 */
import type { OnnxDecodeContext } from '../decode/decode-context.ts';

/** Below the length from which ONNX Runtime changes to its kernel for long inputs. */
const shortChunk = 16;
const probeLength = 72;
/** Relative to the largest logit; float16 runs differ by about a hundredth of it. */
const tolerance = 0.05;

/**
 * The chunk length to use: `wanted`, or a short one where the two disagree.
 * @param makeContext a fresh context that reads prompts in chunks of the given length
 */
export async function chunkThatWorks(
  wanted: number,
  vocab: number,
  makeContext: (chunk: number) => OnnxDecodeContext,
): Promise<number> {
  if (wanted <= shortChunk) return wanted;
  const ids = Array.from({ length: probeLength }, (_, i) => (i * 37 + 11) % Math.min(vocab, 200));
  const segments = [{ kind: 'tokens' as const, ids }];
  const long = await makeContext(wanted).append(segments);
  const short = await makeContext(shortChunk).append(segments);
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < long.length; i++) {
    largest = Math.max(largest, Math.abs(short[i]!));
    difference = Math.max(difference, Math.abs(long[i]! - short[i]!));
  }
  return difference <= tolerance * largest ? wanted : shortChunk;
}
