import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SourceFile } from '../../src-contract/study.ts';
import { defaultLimits } from './reader.ts';
import { type DicomInstance, parseDicom } from './readers/dicom.ts';
import { assembleSeries } from './series-assembly.ts';
import { type DicomElements, type SeriesGrid, writeDicom, writeSeries } from './testing/dicom-writer.ts';

interface Loaded {
  instances: DicomInstance[];
  load(source: SourceFile): Promise<Uint8Array>;
}

function parse(files: readonly Uint8Array[]): Loaded {
  const byPath = new Map(files.map((bytes, i) => [`file-${i}`, bytes]));
  const instances = [...byPath].map(([path, bytes]) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const instance = parseDicom(bytes, { path, bytes: bytes.length, sha256 }, defaultLimits);
    if (!instance) throw new Error('no image');
    return instance;
  });
  return { instances, load: async (source) => byPath.get(source.path)! };
}

const axial = [0.7, 0, 0, -90, 0, 0.7, 0, -80, 0, 0, 2.5, 30];

function grid(change: Partial<SeriesGrid> = {}): SeriesGrid {
  return {
    columns: 5,
    rows: 4,
    slices: 6,
    affine: axial,
    value: (i, j, k) => i + 10 * j + 100 * k - 300,
    ...change,
  };
}

/** Deterministic shuffle: assembly must not see the order of files. */
function shuffled<T>(items: readonly T[], seed = 7): T[] {
  const out = [...items];
  let state = seed;
  for (let i = out.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

async function only(files: readonly Uint8Array[]) {
  const { instances, load } = parse(files);
  const all = assembleSeries(instances);
  expect(all.map((one) => one.series.description)).toHaveLength(1);
  const pixels = await all[0].read(load, { limits: defaultLimits });
  return { series: all[0].series, data: pixels.data };
}

describe('assembleSeries', () => {
  test('orders by position, applies the rescale, and takes the spacing from positions, not thickness', async () => {
    const { series, data } = await only(shuffled(writeSeries(grid())));
    expect(series).toMatchObject({
      kind: 'volume',
      modality: 'CT',
      units: 'HU',
      columns: 5,
      rows: 4,
      slices: 6,
      channels: 1,
      warnings: [],
      windows: [{ center: 40, width: 400 }],
      identifiers: { PatientName: 'Nobody^Test' },
    });
    expect(series.spacing).toEqual([0.7, 0.7, 2.5]);
    expect(series.sourceToPatient).toEqual(axial);
    expect(data).toBeInstanceOf(Int16Array);
    for (let k = 0; k < 6; k++) expect(data[(k * 4 + 3) * 5 + 2]).toBe(2 + 30 + 100 * k - 300);
  });

  test('a series written from head to feet comes back from feet to head', async () => {
    const flipped = [...axial];
    flipped[10] = -2.5;
    const { series, data } = await only(writeSeries(grid({ affine: flipped })));
    expect(series.sourceToPatient?.slice(8)).toEqual([0, 0, 2.5, 30 - 12.5]);
    expect(data[0]).toBe(500 - 300);
  });

  test.each(['1.2.840.10008.1.2', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'])(
    'transfer syntax %s',
    async (transferSyntax) => {
      const { series, data } = await only(writeSeries(grid({ transferSyntax })));
      expect(series.sourceToPatient).toEqual(axial);
      expect(data[119]).toBe(4 + 30 + 500 - 300);
    },
  );

  test('oblique, sheared, anisotropic and single-slice grids come back', async () => {
    const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
    const size = fc.double({ min: 0.2, max: 8, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(angle, angle, angle),
        fc.tuple(size, size, size),
        fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -500, max: 500, noNaN: true }))),
        fc.tuple(
          fc.double({ min: -0.4, max: 0.4, noNaN: true }),
          fc.double({ min: -0.4, max: 0.4, noNaN: true }),
        ),
        fc.integer({ min: 1, max: 9 }),
        async (angles, spacing, origin, shear, slices) => {
          const affine = rotated(angles, spacing, origin, slices === 1 ? [0, 0] : shear);
          const files = shuffled(writeSeries(grid({ affine, slices })), slices);
          const { instances } = parse(files);
          const [{ series }] = assembleSeries(instances);
          const back = series.sourceToPatient!;
          expect(series.kind).toBe(slices === 1 ? 'image' : 'volume');
          for (let row = 0; row < 3; row++) {
            for (let column = 0; column < 4; column++) {
              // A single slice has no step of its own, only the thickness along the normal.
              if (column === 2 && slices === 1) continue;
              expect(Math.abs(back[row * 4 + column] - affine[row * 4 + column])).toBeLessThan(1e-6);
            }
          }
        },
      ),
      { numRuns: 60, seed: 20261121 },
    );
  });

  test('a missing slice makes two parts, each with true coordinates', async () => {
    const files = writeSeries(grid({ slices: 9 }));
    files.splice(4, 1);
    const { instances } = parse(shuffled(files));
    const parts = assembleSeries(instances).map((one) => one.series);
    expect(parts.map((one) => [one.slices, one.sourceToPatient?.[11]])).toEqual([
      [4, 30],
      [4, 42.5],
    ]);
    expect(parts[0].warnings.join()).toContain('5.00 mm');
    expect(parts[1].description).toContain('part 2 of 2');
  });

  test('a gap after the first slice leaves that slice alone', () => {
    const files = writeSeries(grid({ slices: 6 }));
    files.splice(1, 1);
    const parts = assembleSeries(parse(files).instances).map((one) => one.series);
    expect(parts.map((one) => [one.slices, one.kind])).toEqual([
      [1, 'image'],
      [4, 'volume'],
    ]);
  });

  test('thin and thick slices of one scan are two volumes', () => {
    const z = [0, 2.5, 5, 7.5, 12.5, 17.5, 22.5];
    const extra = (k: number): DicomElements => ({ '00200032': ['DS', [0, 0, z[k]]] });
    const parts = assembleSeries(parse(writeSeries(grid({ slices: 7, extra }))).instances).map(
      (one) => one.series,
    );
    expect(parts.map((one) => [one.slices, one.spacing?.[2]])).toEqual([
      [4, 2.5],
      [3, 5],
    ]);
  });

  test('slight unevenness is one volume with a warning; irregular spacing throughout is a stack', () => {
    const at = (z: number[]) =>
      parse(writeSeries(grid({ slices: z.length, extra: (k) => ({ '00200032': ['DS', [0, 0, z[k]]] }) })))
        .instances;
    const [slight] = assembleSeries(at([0, 2.5, 5.1, 7.5, 10])).map((one) => one.series);
    expect(slight).toMatchObject({ kind: 'volume', slices: 5 });
    expect(slight.warnings.join()).toContain('unevenly spaced');
    const irregular = assembleSeries(at([0, 1, 3, 4.5, 9, 9.7, 14, 14.9, 20, 27])).map((one) => one.series);
    expect(irregular).toHaveLength(1);
    expect(irregular[0]).toMatchObject({ kind: 'stack', sourceToPatient: null });
  });

  test('echoes at the same positions are series of their own', () => {
    const echo = (n: number): SeriesGrid =>
      grid({
        slices: 4,
        extra: (k) => ({
          '00180086': ['IS', n],
          '00080018': ['UI', `9.${n}.${k}`],
          '00200013': ['IS', n * 10 + k],
        }),
      });
    const files = shuffled([...writeSeries(echo(1)), ...writeSeries(echo(2))]);
    const parts = assembleSeries(parse(files).instances).map((one) => one.series);
    expect(parts.map((one) => one.slices)).toEqual([4, 4]);
    expect(parts.map((one) => one.description).sort()[1]).toContain('echo 2');
  });

  test('slices that nothing tells apart are dealt out in order of their numbers, with a warning', () => {
    const layer = (n: number): SeriesGrid =>
      grid({
        slices: 3,
        extra: (k) => ({ '00080018': ['UI', `9.${n}.${k}`], '00200013': ['IS', n * 10 + k] }),
      });
    const parts = assembleSeries(parse([...writeSeries(layer(2)), ...writeSeries(layer(1))]).instances);
    expect(parts.map((one) => one.series.slices)).toEqual([3, 3]);
    expect(parts[0].series.warnings.join()).toContain('no attribute tells them apart');
    expect(parts[0].series.sources[0].path).toBe('file-3');
  });

  test('a copy of a file is left out and said', () => {
    const files = writeSeries(grid());
    const [series] = assembleSeries(parse([...files, files[2]]).instances).map((one) => one.series);
    expect(series.slices).toBe(6);
    expect(series.warnings.join()).toContain('1 file is a copy');
  });

  test('without positions, a stack in order of instance numbers', () => {
    const files = writeSeries(
      grid({ extra: (k) => ({ '00200032': ['DS', ''], '00200013': ['IS', 20 - k] }) }),
    );
    const [series] = assembleSeries(parse(files).instances).map((one) => one.series);
    expect(series).toMatchObject({ kind: 'stack', sourceToPatient: null, spacing: null });
    expect(series.sources[0].path).toBe('file-5');
  });

  test('a scout is apart from the slices, and differing planes are apart from each other', () => {
    const scout = writeSeries(
      grid({
        slices: 1,
        extra: () => ({ '00080008': ['CS', 'ORIGINAL\\PRIMARY\\LOCALIZER'], '00080018': ['UI', '5'] }),
      }),
    );
    const sagittal = writeSeries(
      grid({
        slices: 3,
        affine: [0, 0, 3, 0, 0.7, 0, 0, 0, 0, -0.7, 0, 0],
        extra: (k) => ({ '00080018': ['UI', `6.${k}`] }),
      }),
    );
    const parts = assembleSeries(parse([...writeSeries(grid()), ...scout, ...sagittal]).instances);
    expect(parts.map((one) => one.series.slices).sort()).toEqual([1, 3, 6]);
  });

  test('MONOCHROME1 without units is mirrored, with its window; HU are kept', async () => {
    const mono = (modality: string) =>
      writeSeries(
        grid({
          slices: 1,
          extra: () => ({
            '00080060': ['CS', modality],
            '00280004': ['CS', 'MONOCHROME1'],
            '00281052': ['DS', 0],
            '00280101': ['US', 12],
            '00280102': ['US', 11],
          }),
        }),
      );
    const xray = await only(mono('DX'));
    expect(xray.series.windows).toEqual([{ center: 4095 - 40, width: 400 }]);
    expect(xray.data[0]).toBe(4095 - (1024 - 300));
    expect(xray.series.warnings.join()).toContain('mirrored');
    const ct = await only(mono('CT'));
    expect(ct.data[0]).toBe(1024 - 300);
  });

  test('an enhanced multi-frame object has the geometry of its frames', async () => {
    const [template] = writeSeries(grid({ slices: 1 }));
    expect(template.length).toBeGreaterThan(0);
    const frames = 4;
    const pixels = new Uint8Array(5 * 4 * 2 * frames);
    const view = new DataView(pixels.buffer);
    for (let i = 0; i < pixels.length / 2; i++) view.setUint16(i * 2, i, true);
    // Stored in the order 2, 0, 3, 1 of their positions.
    const places = [2, 0, 3, 1];
    const bytes = writeDicom({
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.2.1'],
      '00080018': ['UI', '1.9'],
      '00080060': ['CS', 'CT'],
      '0020000E': ['UI', '1.2.9'],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280008': ['IS', frames],
      '00280010': ['US', 4],
      '00280011': ['US', 5],
      '00280100': ['US', 16],
      '00280101': ['US', 16],
      '00280102': ['US', 15],
      '00280103': ['US', 0],
      '52009229': [
        'SQ',
        [
          {
            '00209116': ['SQ', [{ '00200037': ['DS', [1, 0, 0, 0, 1, 0]] }]],
            '00289110': ['SQ', [{ '00280030': ['DS', [0.5, 0.6]], '00180050': ['DS', 9] }]],
            '00289145': ['SQ', [{ '00281052': ['DS', -10], '00281053': ['DS', 2] }]],
          },
        ],
      ],
      '52009230': [
        'SQ',
        places.map(
          (place) =>
            ({ '00209113': ['SQ', [{ '00200032': ['DS', [1, 2, 3 + place * 1.5]] }]] }) as DicomElements,
        ),
      ],
      '7FE00010': ['OW', pixels],
    });
    const { series, data } = await only([bytes]);
    expect(series).toMatchObject({ kind: 'volume', slices: 4, spacing: [0.6, 0.5, 1.5] });
    expect(series.sourceToPatient).toEqual([0.6, 0, 0, 1, 0, 0.5, 0, 2, 0, 0, 1.5, 3]);
    expect([0, 1, 2, 3].map((k) => data[k * 20])).toEqual([1, 3, 0, 2].map((frame) => frame * 20 * 2 - 10));
  });

  test('slices whose rescales differ are brought to one type', async () => {
    const { data } = await only(
      writeSeries(grid({ slices: 2, extra: (k) => ({ '00281053': ['DS', k === 0 ? 1 : 0.5] }) })),
    );
    expect(data).toBeInstanceOf(Float32Array);
    expect(data[0]).toBe(-300);
    expect(data[20]).toBe((1024 - 200) * 0.5 - 1024);
  });

  test('ids do not depend on the order of files, and reading reports progress and can be cancelled', async () => {
    const files = writeSeries(grid());
    const one = parse(files);
    const [first] = assembleSeries(one.instances);
    expect(assembleSeries(parse(shuffled(files)).instances)[0].series.id).toBe(first.series.id);
    const steps: number[] = [];
    await first.read(one.load, { limits: defaultLimits, onProgress: (fraction) => steps.push(fraction) });
    expect(steps.at(-1)).toBe(1);
    const signal = AbortSignal.abort();
    await expect(first.read(one.load, { limits: defaultLimits, signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });
});

/** Rotation by three angles, columns scaled, the third one sheared by shares of the first two. */
function rotated(
  [a, b, c]: readonly number[],
  [sx, sy, sz]: readonly number[],
  origin: readonly number[],
  [p, q]: readonly number[],
): number[] {
  const [ca, sa, cb, sb, cc, sc] = [
    Math.cos(a),
    Math.sin(a),
    Math.cos(b),
    Math.sin(b),
    Math.cos(c),
    Math.sin(c),
  ];
  const r = [
    [cb * cc, -cb * sc, sb],
    [ca * sc + sa * sb * cc, ca * cc - sa * sb * sc, -sa * cb],
    [sa * sc - ca * sb * cc, sa * cc + ca * sb * sc, ca * cb],
  ];
  return r.flatMap(([x, y, z], row) => [x * sx, y * sy, (z + x * p + y * q) * sz, origin[row]]);
}
