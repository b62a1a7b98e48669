/**
 * torch.nn.functional.interpolate(mode='trilinear', align_corners=False) of a normalised volume, one output plane at a
 * time, in the arithmetic that numpy's promotion gives the reference: float64 after percentile scaling, float32 after
 * min-max scaling or none (aten/native/cpu/UpSampleKernel.cpp: HelperInterpLinear, upsample_generic_Nd).
 *
 * torch is compiled with fused multiply-add. In float32 that is reproduced (a product of two float32 is exact in a
 * double), and results are equal to the last bit. In float64 JavaScript has no fused operation: results differ by at
 * most a few units of 1e-16, which the reference's own rounding to float32 swallows before it truncates to 8 bits.
 * Fixtures: fixtures/reference/volume/slices.safetensors.
 */
import type { VolumeView } from './volume-view.ts';

/** How values become 0..1 before they are resampled; clipped afterwards. */
export interface Normalisation {
  /** 1: float32 throughout, 2: float64. */
  readonly precision: 'float32' | 'float64';
  /** Subtracted; then divided by `span`. Identity is low 0, span 1. */
  readonly low: number;
  readonly span: number;
  /** What a NaN counts as, before scaling. NaN leaves it NaN (which becomes 0 in 8 bits). */
  readonly missing: number;
}

interface Axis {
  readonly below: Int32Array;
  readonly above: Int32Array;
  readonly lowerWeight: Float64Array;
  readonly upperWeight: Float64Array;
}

type Round = (value: number) => number;

function axisWeights(inLength: number, outLength: number, round: Round): Axis {
  const below = new Int32Array(outLength);
  const above = new Int32Array(outLength);
  const lowerWeight = new Float64Array(outLength);
  const upperWeight = new Float64Array(outLength);
  const scale = round(inLength / outLength);
  for (let i = 0; i < outLength; i++) {
    // torch leaves equal lengths alone instead of computing a position that rounds.
    const position = inLength === outLength ? i : Math.max(0, round(scale * (i + 0.5) - 0.5));
    below[i] = Math.min(inLength - 1, Math.floor(position));
    above[i] = Math.min(inLength - 1, below[i] + 1);
    upperWeight[i] = Math.min(1, Math.max(0, round(position - below[i])));
    lowerWeight[i] = round(1 - upperWeight[i]);
  }
  return { below, above, lowerWeight, upperWeight };
}

const exact: Round = (value) => value;

/**
 * Yields the planes z = 0 .. target[0]-1, each [target[1] * target[2]] row-major, 0..1. The array is reused: copy what
 * must outlive the next step.
 * @param target [depth, height, width].
 */
export function* trilinearPlanes(
  view: VolumeView,
  normalisation: Normalisation,
  target: readonly [number, number, number],
): Generator<Float32Array | Float64Array> {
  const single = normalisation.precision === 'float32';
  const round = single ? Math.fround : exact;
  const [depth, height, width] = target;
  const across = axisWeights(view.size[0], width, round);
  const down = axisWeights(view.size[1], height, round);
  const through = axisWeights(view.size[2], depth, round);
  const makeRow = (): Float32Array | Float64Array =>
    single ? new Float32Array(width) : new Float64Array(width);
  const mix = single ? mixSingle : mixDouble;
  const rows = [makeRow(), makeRow(), makeRow(), makeRow()];
  const plane = single ? new Float32Array(width * height) : new Float64Array(width * height);
  const line = single ? new Float32Array(view.size[0]) : new Float64Array(view.size[0]);
  const readRow = (z: number, y: number, into: Float32Array | Float64Array) => {
    normaliseLine(view, z, y, normalisation, line);
    if (single) spreadSingle(line, across, into);
    else spreadDouble(line, across, into);
  };
  for (let z = 0; z < depth; z++) {
    const planes = [through.below[z], through.above[z]];
    for (let y = 0; y < height; y++) {
      for (let p = 0; p < 2; p++) {
        readRow(planes[p], down.below[y], rows[2 * p]);
        readRow(planes[p], down.above[y], rows[2 * p + 1]);
        mix(rows[2 * p], rows[2 * p + 1], down.lowerWeight[y], down.upperWeight[y], rows[2 * p]);
      }
      const into = plane.subarray(y * width, (y + 1) * width);
      mix(rows[0], rows[2], through.lowerWeight[z], through.upperWeight[z], into);
    }
    yield plane;
  }
}

/** One row of the volume, scaled and clipped to 0..1. */
function normaliseLine(
  view: VolumeView,
  z: number,
  y: number,
  normalisation: Normalisation,
  line: Float32Array | Float64Array,
): void {
  const { data, offset, strides, rescale } = view;
  const { low, span, missing, precision } = normalisation;
  const slope = rescale?.slope ?? 1;
  const intercept = rescale?.intercept ?? 0;
  const single = precision === 'float32';
  let at = offset + z * strides[2] + y * strides[1];
  for (let x = 0; x < line.length; x++, at += strides[0]) {
    let value = Math.fround(data[at] * slope + intercept);
    if (Number.isNaN(value)) value = missing;
    const scaled = single ? Math.fround(value - low) / span : (value - low) / span;
    line[x] = Math.max(0, Math.min(1, scaled));
  }
}

type Floats = Float32Array | Float64Array;

function spreadDouble(line: Floats, axis: Axis, into: Floats): void {
  const { below, above, lowerWeight, upperWeight } = axis;
  for (let x = 0; x < into.length; x++) {
    into[x] = line[below[x]] * lowerWeight[x] + line[above[x]] * upperWeight[x];
  }
}

/** As torch's fused code: the second product is rounded, the first is not. */
function spreadSingle(line: Floats, axis: Axis, into: Floats): void {
  const { below, above, lowerWeight, upperWeight } = axis;
  for (let x = 0; x < into.length; x++) {
    into[x] = line[below[x]] * lowerWeight[x] + Math.fround(line[above[x]] * upperWeight[x]);
  }
}

function mixDouble(a: Floats, b: Floats, weightA: number, weightB: number, into: Floats): void {
  for (let x = 0; x < into.length; x++) into[x] = a[x] * weightA + b[x] * weightB;
}

function mixSingle(a: Floats, b: Floats, weightA: number, weightB: number, into: Floats): void {
  for (let x = 0; x < into.length; x++) into[x] = a[x] * weightA + Math.fround(b[x] * weightB);
}

/** 0..1 to 8 bits, truncated, through float32 as the reference does. */
export function toBytes(plane: Floats): Uint8Array {
  const out = new Uint8Array(plane.length);
  for (let i = 0; i < plane.length; i++) {
    out[i] = Math.trunc(Math.fround(Math.max(0, Math.min(1, Math.fround(plane[i]))) * 255));
  }
  return out;
}
