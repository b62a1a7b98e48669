/** Everything about a conversion that is known from config.json and the tensor headers, before a weight is read. */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { companionFiles, fingerprintOpened } from './fingerprint.ts';
import { decoderGraph, embedGraph } from './graphs/decoder-graph.ts';
import { type EncodingPolicy, encodingPolicy } from './graphs/encoding-policy.ts';
import type { GraphBuilder } from './graphs/graph-builder.ts';
import { visionGraph } from './graphs/vision-graph.ts';
import type { Architecture } from './manifest.ts';
import { encodeModel } from './onnx/model-proto.ts';
import { CheckpointFolder } from './source/checkpoint-folder.ts';
import { CheckpointTensors } from './source/checkpoint-tensors.ts';
import { NamedTensors } from './source/named-tensors.ts';
import { readArchitecture } from './source/read-config.ts';
import { type DataFile, planData } from './weights/data-plan.ts';

export interface ConversionPlan {
  readonly folder: CheckpointFolder;
  readonly tensors: CheckpointTensors;
  readonly precision: Precision;
  readonly policy: EncodingPolicy;
  readonly architecture: Architecture;
  /** Weights of the model; a tied table counts once. */
  readonly parameters: number;
  readonly fingerprint: string;
  readonly dataFiles: readonly DataFile[];
  /** The .onnx files, complete: they hold no weights. */
  readonly graphs: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Files to copy, with their sizes. */
  readonly companions: readonly { readonly name: string; readonly bytes: number }[];
  /** Sizes of the files that hold tensors. */
  readonly tensorFiles: readonly { readonly name: string; readonly bytes: number }[];
}

/** Without these the engine can't turn a question into tokens, or an image into pixels. */
const requiredCompanions = ['config.json', 'tokenizer.json', 'preprocessor_config.json'];

/**
 * Checks the whole checkpoint and lays out the container. The caller closes `tensors`.
 *
 * @throws ReadroomError that names the file, field or tensor at fault
 */
export async function planConversion(source: string, precision: Precision): Promise<ConversionPlan> {
  const folder = await CheckpointFolder.open(source);
  // First of all: of a folder with another model, the architecture is worth naming, not a missing tokenizer.
  const architecture = readArchitecture(await folder.readJson('config.json'));
  for (const name of requiredCompanions) await folder.path(name);
  const tensors = await CheckpointTensors.open(folder);
  const named = new NamedTensors(tensors);
  const policy = encodingPolicy(precision, architecture.text);
  const builders: GraphBuilder[] = [
    visionGraph(architecture.vision, named, policy),
    embedGraph(architecture.text, named, policy),
    decoderGraph(architecture.text, named, policy),
    // Kernels for single rows in float16 are missing on the CPU; nothing is lost where they are not needed.
    ...(policy.activation === 'float32' ? [decoderGraph(architecture.text, named, policy, 'host')] : []),
  ];
  const { files, places } = planData(builders.flatMap((builder) => builder.jobs));
  return {
    folder,
    tensors,
    precision,
    policy,
    architecture,
    parameters: named
      .used()
      .reduce((sum, tensor) => sum + tensor.shape.reduce((product, side) => product * side, 1), 0),
    fingerprint: await fingerprintOpened(folder, tensors),
    dataFiles: files,
    graphs: builders.map((builder) => ({
      name: `${builder.name}.onnx`,
      bytes: encodeModel(builder.build(places)),
    })),
    companions: await sizes(folder, companionFiles),
    tensorFiles: await sizes(folder, tensors.files),
  };
}

async function sizes(folder: CheckpointFolder, names: readonly string[]) {
  const found: { name: string; bytes: number }[] = [];
  for (const name of names) {
    const info = await folder.stat(name);
    if (info !== null) found.push({ name, bytes: info.size });
  }
  return found;
}

/**
 * Resident size over the size of the files, measured: ONNX Runtime packs weights again for its kernels (7B int4: 7.1 GB for
 * the 4.9 GB of decoder and vision tower).
 */
export const loadedOverFiles = 1.4;

export interface ConversionEstimate {
  /** Size of the container on disk. */
  readonly bytes: number;
  /** Memory that the loaded weights take on the CPU; the KV cache and activations come on top. */
  readonly memoryBytes: number;
}

/** @throws ReadroomError as `planConversion` */
export async function estimateConversion(source: string, precision: Precision): Promise<ConversionEstimate> {
  const plan = await planConversion(source, precision);
  try {
    return estimatePlan(plan);
  } finally {
    await plan.tensors.close();
  }
}

export function estimatePlan(plan: ConversionPlan): ConversionEstimate {
  const sum = (files: readonly { readonly bytes: number }[]) =>
    files.reduce((total, { bytes }) => total + bytes, 0);
  // The embedding table is mapped from its file, and only rows that occur are ever touched.
  const resident = plan.dataFiles.filter(({ name }) => !name.startsWith('embed.'));
  return {
    bytes:
      sum(plan.dataFiles) + sum(plan.companions) + plan.graphs.reduce((n, { bytes }) => n + bytes.length, 0),
    memoryBytes: Math.round(loadedOverFiles * sum(resident)),
  };
}

/** @throws ReadroomError 'input-invalid': a folder that holds something else is never written into */
export function refuseForeignFolder(out: string, entry: string): never {
  throw new ReadroomError(
    'input-invalid',
    `${out} is not empty and holds no unfinished conversion ('${entry}')`,
    {
      file: out,
      remedy: 'Choose a new or empty folder for the container.',
    },
  );
}
