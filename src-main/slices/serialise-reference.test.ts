import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { locateBox } from '../../src-contract/geometry.ts';
import { defaultLimits } from '../study/reader.ts';
import { niftiRescale, readNiftiArray } from '../study/readers/nifti.ts';
import { parseNpy, parseNpz } from '../study/readers/numpy.ts';
import { percentiles } from './percentile.ts';
import { type ReferenceArray, serialiseReference, withProcessor } from './serialise.ts';
import { referenceNormalisation, type TargetSize } from './serialise-volume.ts';
import { fixtureTable, fixtureTensors, fixtureUrl, fromFloatHex, sha256 } from './test-fixtures.ts';
import { trilinearPlanes } from './trilinear.ts';
import type { VolumeView } from './volume-view.ts';

interface VolumeRow {
  name: string;
  file: string;
  target: [number, number, number];
  mode: 'percentile' | 'minmax';
  low?: string;
  high?: string;
  computedIn: 'float32' | 'float64';
  sha256: string;
  sliceSha256?: string[];
}

const rows = fixtureTable<VolumeRow>('volume/volumes.json');

async function readArray(file: string): Promise<ReferenceArray> {
  const bytes = new Uint8Array(readFileSync(fixtureUrl(`volume/${file}`)));
  const input = { bytes, name: file, fileName: file.split('/').pop()!, limits: defaultLimits };
  if (file.endsWith('.npy')) return { ...parseNpy(bytes, file, defaultLimits), order: 'C' };
  if (file.endsWith('.npz')) return { ...(await parseNpz(input)).array, order: 'C' };
  const { header, shape, data } = await readNiftiArray(input, 'all');
  return { shape, data, order: 'F', rescale: niftiRescale(header) };
}

function joined(slices: readonly { data: Uint8Array }[]): Uint8Array {
  return Buffer.concat(slices.map(({ data }) => data));
}

describe('serialiseReference', () => {
  it.each(rows)('$name: the bytes of the reference', async (row) => {
    const { slices, chain } = serialiseReference(await readArray(row.file), row.target, row.mode);
    expect(sha256(joined(slices))).toBe(row.sha256);
    if (row.sliceSha256) expect(slices.map(({ data }) => sha256(data))).toEqual(row.sliceSha256);
    const [depth, height, width] = row.target;
    expect(slices).toHaveLength(depth);
    expect(slices[0]).toMatchObject({ width, height, channels: 1 });
    expect(chain.gridSize).toEqual([width, height, depth]);
  });

  it('resamples to the same floats: all bits in float32, the last ones open in float64', async () => {
    const tensors = fixtureTensors('volume/slices.safetensors');
    for (const name of ['int16', 'minmax', 'down']) {
      const row = rows.find((candidate) => candidate.name === name)!;
      const { data, shape } = await readArray(row.file);
      const [depth, height, width] = shape;
      const view: VolumeView = {
        data,
        offset: 0,
        size: [width, height, depth],
        strides: [1, width, width * height],
      };
      const normalisation = referenceNormalisation(view, row.mode);
      expect(normalisation.precision).toBe(row.computedIn);
      const tensor = tensors.get(`${name}.float`)!;
      const wanted =
        tensor.dtype === 'F32'
          ? new Float32Array(tensor.bytes.buffer)
          : new Float64Array(tensor.bytes.buffer);
      const tolerance = tensor.dtype === 'F32' ? 0 : 1e-15;
      let at = 0;
      let worst = 0;
      for (const plane of trilinearPlanes(view, normalisation, row.target as TargetSize)) {
        for (const value of plane) worst = Math.max(worst, Math.abs(value - wanted[at++]));
      }
      expect(at).toBe(wanted.length);
      expect(worst).toBeLessThanOrEqual(tolerance);
    }
  });

  it("refuses what is no volume in the reference's own words", () => {
    const array = (shape: number[]): ReferenceArray => ({
      shape,
      order: 'C',
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    });
    for (const [shape, left] of [
      [[10, 12], '(10, 12)'],
      [[1, 9, 1], '(9,)'],
      [[1, 1], '()'],
      [[2, 2, 2, 2, 2], '(2, 2, 2, 2, 2)'],
    ] as const) {
      expect(() => serialiseReference(array([...shape]))).toThrow(
        expect.objectContaining({
          code: 'input-invalid',
          detail: `ValueError('Expected a 3D volume after squeeze, got shape=${left}')`,
        }),
      );
    }
  });
});

describe('chain of the reference serialisation', () => {
  const lps = [-2, 0, 0, 10, 0, -3, 0, 20, 0, 0, 4, 30];

  it('names the source axes of a NIfTI whose slices are last: image rows are x, columns are y', () => {
    const array: ReferenceArray = {
      shape: [40, 50, 30],
      order: 'F',
      data: new Float32Array(40 * 50 * 30),
      sourceToPatient: lps,
    };
    const { chain } = serialiseReference(array, [32, 256, 256]);
    expect(chain.sourceSize).toEqual([40, 50, 30]);
    expect(chain.canonicalSize).toEqual([50, 40, 30]);
    const whole = locateBox(withProcessor(chain, 252, 252), {
      x1: 0,
      y1: 0,
      z1: 0,
      x2: 252,
      y2: 252,
      z2: 32,
    });
    expectClose(whole.sourceVoxel.min, [-0.5, -0.5, -0.5]);
    expectClose(whole.sourceVoxel.max, [39.5, 49.5, 29.5]);
    // The top half of the image is the first half of x.
    const top = locateBox(withProcessor(chain, 252, 252), { x1: 0, y1: 0, z1: 0, x2: 252, y2: 126, z2: 32 });
    expectClose(top.sourceVoxel.max, [19.5, 49.5, 29.5]);
    expect(top.patientCorners).not.toBeNull();
  });

  it('takes k, j, i for the axes of a bare array', () => {
    const array: ReferenceArray = { shape: [30, 50, 40], order: 'C', data: new Uint8Array(60000) };
    const { chain } = serialiseReference(array, [32, 256, 256]);
    expect(chain.sourceSize).toEqual([40, 50, 30]);
    expect(chain.canonicalSize).toEqual([40, 50, 30]);
    expect(chain.sourceToPatient).toBeNull();
  });

  it('keeps the patient out of it where the kept axes are not the three of space', () => {
    const shape = [9, 10, 1, 11];
    const array: ReferenceArray = { shape, order: 'F', data: new Float32Array(990), sourceToPatient: lps };
    const { chain } = serialiseReference(array, [8, 16, 16]);
    expect(chain.sourceToPatient).toBeNull();
    expect(chain.sourceSize).toEqual([9, 10, 11]);
  });
});

describe('percentiles', () => {
  it('equal numpy on every list, as float32 and in strided and integer views', () => {
    const tensors = fixtureTensors('volume/percentiles.safetensors');
    const lists = fixtureTable<{ name: string; low: string; high: string }>('volume/percentiles.json');
    for (const { name, low, high } of lists) {
      const values = new Float32Array(tensors.get(name)!.bytes.buffer);
      const wanted = low === 'nan' ? [Number.NaN, Number.NaN] : [fromFloatHex(low), fromFloatHex(high)];
      expect(percentiles(line(values), [1, 99]), name).toEqual(wanted);
      const spread = new Float64Array(values.length * 3).fill(1e9);
      values.forEach((value, i) => {
        spread[spread.length - 1 - 3 * i] = value;
      });
      const reversed: VolumeView = {
        data: spread,
        offset: spread.length - 1,
        size: [values.length, 1, 1],
        strides: [-3, 0, 0],
      };
      expect(percentiles(reversed, [1, 99]), name).toEqual(wanted);
      if (values.every((value) => Number.isInteger(value) && Math.abs(value) < 32768)) {
        expect(percentiles(line(Int16Array.from(values)), [1, 99]), name).toEqual(wanted);
        const negated = { ...line(Int16Array.from(values, (v) => -v)), rescale: { slope: -1, intercept: 0 } };
        expect(percentiles(negated, [1, 99]), name).toEqual(wanted);
      }
    }
  });
});

function line(data: VolumeView['data']): VolumeView {
  return { data, offset: 0, size: [data.length, 1, 1], strides: [1, 0, 0] };
}

function expectClose(actual: readonly number[], wanted: readonly number[]): void {
  wanted.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 9);
  });
}
