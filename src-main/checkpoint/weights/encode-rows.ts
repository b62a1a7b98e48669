/** Rows of a checkpoint tensor -> the bytes of an initialiser, a chunk at a time. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { CheckpointTensor, CheckpointTensors } from '../source/checkpoint-tensors.ts';
import { fromBfloat16Array, fromFloat16Array, toFloat16Array } from './half-floats.ts';
import { quantiseInt4, quantiseInt8 } from './quantise.ts';
import type { WeightJob } from './weight-job.ts';

/** Weights decoded at once: 4 MB as float32, whatever the tensor's size. */
const chunkWeights = 1024 * 1024;

/** Bytes for one of the job's outputs. Chunks of output 0 come first, then the whole of the others in order. */
export interface EncodedChunk {
  readonly output: number;
  readonly bytes: Uint8Array;
}

/**
 * Encodes a job in constant memory, but for the scales and zero points of quantised weights, which wait for the end of
 * their tensor (a twelfth of its size as bfloat16).
 *
 * @throws ReadroomError 'checkpoint-malformed' where a weight is NaN or infinite
 */
export async function* encodeJob(job: WeightJob, tensors: CheckpointTensors): AsyncGenerator<EncodedChunk> {
  const { source, encoding } = job;
  const tensor = tensors.get(source.tensor);
  if (tensor === undefined) throw new Error(`No tensor ${source.tensor}`);
  const scales: Uint16Array[] = [];
  const zeros: Uint8Array[] = [];
  const step = Math.max(1, Math.floor(chunkWeights / source.columns));
  for (let row = 0; row < source.rows; row += step) {
    const rows = Math.min(step, source.rows - row);
    const values = await readRows(
      tensors,
      tensor,
      (source.firstRow + row) * source.columns,
      rows * source.columns,
    );
    checkFinite(values, tensor);
    if (encoding === 'float32') {
      yield { output: 0, bytes: bytesOf(values) };
    } else if (encoding === 'float16') {
      yield { output: 0, bytes: bytesOf(toFloat16Array(values)) };
    } else {
      const quantise = encoding === 'int4' ? quantiseInt4 : quantiseInt8;
      const block = quantise(values, rows, source.columns);
      scales.push(toFloat16Array(block.scales));
      zeros.push(block.zeros);
      yield { output: 0, bytes: block.packed };
    }
  }
  for (const part of scales) yield { output: 1, bytes: bytesOf(part) };
  if (encoding === 'int4') for (const bytes of zeros) yield { output: 2, bytes };
}

async function readRows(
  tensors: CheckpointTensors,
  tensor: CheckpointTensor,
  first: number,
  count: number,
): Promise<Float32Array> {
  if (tensor.type === 'F32') {
    const values = new Float32Array(count);
    await tensors.read(tensor, first * 4, bytesOf(values));
    return values;
  }
  const bits = new Uint16Array(count);
  await tensors.read(tensor, first * 2, bytesOf(bits));
  return tensor.type === 'BF16' ? fromBfloat16Array(bits) : fromFloat16Array(bits);
}

/** A single NaN would silently turn every answer into noise. */
function checkFinite(values: Float32Array, tensor: CheckpointTensor): void {
  // A sum is finite only if every term is; it overflows float64 never.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  if (Number.isFinite(sum)) return;
  throw new ReadroomError(
    'checkpoint-malformed',
    `Tensor '${tensor.name}' contains NaN or infinite weights`,
    {
      file: tensor.file,
      field: tensor.name,
      remedy: 'The training that made this checkpoint went wrong, or the file is damaged.',
    },
  );
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
