/** Traces for tests: the real loop on a scripted model, about a volume of 50 x 50 x 20 voxels or one of its slices. */
import type { AffineChain } from '../../../src-contract/geometry.ts';
import type { Options, Preset } from '../../../src-contract/run-events.ts';
import { parseTrace, serializeTrace, type Trace } from '../../../src-contract/trace.ts';
import { createFakeModel } from '../../engine/grounding/fake-model.ts';
import { runGrounded } from '../../engine/grounding/loop.ts';
import { gradient, testRequest } from '../../engine/grounding/test-request.ts';
import { axialOrientation, buildChain, sliceOrientation, withProcessor } from '../../slices/affine-chain.ts';
import { TraceRecorder } from '../../trace/recorder.ts';

/** Columns and rows run to the patient's left and back, 2 mm; slices to the head, 3 mm. */
export const placedAffine = [2, 0, 0, -40, 0, 2, 0, -50, 0, 0, 3, 100];

/** Four slices of the model's grid: five source slices each. */
export function volumeChain(sourceToPatient: number[] | null = placedAffine): AffineChain {
  const chain = buildChain({
    sourceToPatient,
    sourceSize: [50, 50, 20],
    orientation: axialOrientation(sourceToPatient),
    gridSize: [50, 50, 4],
    serialization: 'anatomical',
  });
  return withProcessor(chain, 56, 56);
}

export function sliceChain(slice: number, sourceToPatient: number[] | null = placedAffine): AffineChain {
  const chain = buildChain({
    sourceToPatient,
    sourceSize: [50, 50, 1],
    orientation: sliceOrientation(sourceToPatient),
    gridSize: [50, 50, 1],
    serialization: 'image',
  });
  const canonicalToSource = [...chain.canonicalToSource];
  canonicalToSource[11] = slice;
  return withProcessor({ ...chain, canonicalToSource, sourceSize: [50, 50, 20] }, 56, 56);
}

export interface TraceWish {
  /** What the model says, up to and with each box. */
  readonly script: string[];
  /** Absent: the volume. */
  readonly slice?: number;
  readonly chain?: AffineChain;
  readonly preset?: Preset;
  readonly question?: string;
  readonly options?: Options;
  readonly expected?: Trace['expected'];
  readonly createdAt?: string;
  readonly sha256?: string;
  readonly runId?: string;
  readonly signal?: AbortSignal;
}

export async function makeTrace(wish: TraceWish): Promise<Trace> {
  const chain = wish.chain ?? (wish.slice === undefined ? volumeChain() : sliceChain(wish.slice));
  const mode = chain.serialization === 'image' ? '2d' : '3d';
  const options = wish.options ?? { A: 'left', B: 'right' };
  const request = testRequest({
    runId: wish.runId ?? 'run',
    mode,
    images: Array.from({ length: chain.gridSize[2] }, (_, each) => gradient(50, 50, each)),
    options,
    preset: wish.preset ?? 'grounded',
    chain,
  });
  const recorder = new TraceRecorder({
    app: { name: 'readroom', version: '0.1.0' },
    createdAt: wish.createdAt ?? '2026-01-02T03:04:05.678Z',
    synthetic: false,
    sources: [{ path: 'scan.mha', bytes: 12, sha256: wish.sha256 ?? 'a'.repeat(64) }],
    series: null,
    chain,
    normalization: null,
    question: wish.question ?? 'Where?',
    options,
    expected: wish.expected ?? null,
  });
  await runGrounded(
    createFakeModel({ script: wish.script }),
    request,
    (event) => recorder.record(event),
    wish.signal,
  );
  // As it comes from a file.
  return parseTrace(serializeTrace(recorder.trace()));
}
