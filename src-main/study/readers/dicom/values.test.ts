import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../reader.ts';
import { assembleSeries } from '../../series-assembly.ts';
import { type DicomElements, type WriteOptions, writeDicom } from '../../testing/dicom-writer.ts';
import { looksLikeDicom, parseDicom } from '../dicom.ts';

async function open(bytes: Uint8Array) {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const instance = parseDicom(bytes, { path: 'one.dcm', bytes: bytes.length, sha256 }, defaultLimits);
  if (!instance) throw new Error('no image');
  const [assembled] = assembleSeries([instance]);
  return assembled.read(async () => bytes, { limits: defaultLimits });
}

function image(bits: number, pixels: Uint8Array, change: DicomElements = {}, options?: WriteOptions) {
  return writeDicom(
    {
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280010': ['US', 1],
      '00280011': ['US', 4],
      '00280100': ['US', bits],
      '00280101': ['US', bits],
      '00280102': ['US', bits - 1],
      '00280103': ['US', 0],
      '7FE00010': [bits > 8 ? 'OW' : 'OB', pixels],
      ...change,
    },
    options,
  );
}

const ramp = Uint8Array.from([0, 1, 2, 3]);

describe('values', () => {
  test('a modality lookup table takes the place of slope and intercept', async () => {
    const lut: DicomElements = {
      '00283000': [
        'SQ',
        [{ '00283002': ['US', [3, 1, 16]], '00283004': ['LO', 'HU'], '00283006': ['US', [100, 200, 65535]] }],
      ],
      '00281053': ['DS', 7],
    };
    const { data, series } = await open(image(8, ramp, lut));
    expect([...data]).toEqual([100, 100, 200, 65535]);
    expect(series.units).toBe('HU');
  });

  test('a palette gives RGB; entries of 16 bits keep their high byte', async () => {
    const palette: DicomElements = {
      '00280004': ['CS', 'PALETTE COLOR'],
      '00281101': ['US', [3, 0, 16]],
      '00281102': ['US', [3, 0, 16]],
      '00281103': ['US', [3, 0, 16]],
      '00281201': ['OW', Uint8Array.from([0, 10, 0, 20, 0, 30])],
      '00281202': ['OW', Uint8Array.from([0, 40, 0, 50, 0, 60])],
      '00281203': ['OW', Uint8Array.from([0, 70, 0, 80, 0, 90])],
    };
    const { data, channels } = await open(image(8, ramp, palette));
    expect(channels).toBe(3);
    expect([...data]).toEqual([10, 40, 70, 20, 50, 80, 30, 60, 90, 30, 60, 90]);
  });

  test('YBR_FULL becomes RGB', async () => {
    const colours = Uint8Array.from([76, 85, 255, 150, 44, 21, 29, 255, 107, 255, 128, 128]);
    const { data } = await open(image(8, colours, { '00280002': ['US', 3], '00280004': ['CS', 'YBR_FULL'] }));
    expect([...data]).toEqual([254, 0, 0, 0, 255, 1, 0, 0, 254, 255, 255, 255]);
  });

  test('colours of 16 bits are shown with 8', async () => {
    const pixels = new Uint8Array(Uint16Array.from({ length: 12 }, (_, i) => i * 5000).buffer);
    const { data, series } = await open(
      image(16, pixels, { '00280002': ['US', 3], '00280004': ['CS', 'RGB'] }),
    );
    expect(data[11]).toBe(55000 >> 8);
    expect(series.warnings.join()).toContain('16 bits');
  });

  test('windows, pixel spacing of a radiograph, and units', async () => {
    const { series } = await open(
      image(8, ramp, {
        '00080060': ['CS', 'DX'],
        '00181164': ['DS', [0.2, 0.3]],
        '00281050': ['DS', [10, 20]],
        '00281051': ['DS', [0, 5]],
      }),
    );
    expect(series).toMatchObject({
      kind: 'image',
      windows: [{ center: 20, width: 5 }],
      spacing: [0.3, 0.2, 1],
      sourceToPatient: null,
      units: '',
    });
  });

  test('an image that calls itself synthetic is one', async () => {
    const { series } = await open(image(8, ramp, { '0008103E': ['LO', 'Thorax with one synthetic lesion'] }));
    expect(series.synthetic).toBe(true);
  });

  test('dose grids have slices at their offsets', async () => {
    const bytes = Uint8Array.from(
      readFileSync(new URL('../../../../fixtures/dicom/files/rtdose.dcm', import.meta.url)),
    );
    // Units are 'RELATIVE' here; the scaling of 1e-6 is applied.
    const { series, data } = await open(bytes);
    expect(series).toMatchObject({ kind: 'volume', slices: 15, units: '' });
    expect(series.spacing?.[2]).toBe(5);
    expect(Math.max(...data)).toBeCloseTo(1.254, 6);
  });
});

describe('identifiers', () => {
  test.each([
    ['ISO_IR 192', Buffer.from('Müller^Jürgen', 'utf8'), 'Müller^Jürgen'],
    ['ISO_IR 100', Buffer.from('Müller^Jürgen', 'latin1'), 'Müller^Jürgen'],
    ['\\ISO 2022 IR 87', Buffer.from('1b2442 3b33 4544 1b2842'.replaceAll(' ', ''), 'hex'), '山田'],
    ['\\ISO 2022 IR 149', Buffer.from('1b242943 b1e8 c8f1 c1df'.replaceAll(' ', ''), 'hex'), '김희중'],
  ])('%s', async (charset, name, expected) => {
    const bytes = image(8, ramp, { '00080005': ['CS', charset], '00100010': ['PN', new Uint8Array(name)] });
    const { series } = await open(bytes);

    expect(series.identifiers.PatientName).toBe(expected);
  });
});

describe('files that are not quite DICOM', () => {
  test.each([
    ['without preamble', { preamble: false }],
    ['without preamble and meta group', { preamble: false, meta: false }],
    ['implicit, without anything', { preamble: false, meta: false, transferSyntax: '1.2.840.10008.1.2' }],
    ['big endian, without anything', { preamble: false, meta: false, transferSyntax: '1.2.840.10008.1.2.2' }],
    ['without meta group', { meta: false }],
  ])('%s', async (_, options) => {
    const bytes = image(8, ramp, { '00080060': ['CS', 'CR'] }, options);
    expect(looksLikeDicom(bytes)).toBe(true);
    const { data, series } = await open(bytes);
    expect([...data]).toEqual([0, 1, 2, 3]);
    expect(series.modality).toBe('CR');
  });

  test('other files are told apart', () => {
    for (const text of [
      '',
      'a note about a patient, long enough to be looked at',
      '\x89PNG\r\n\x1a\n0000000000000',
    ]) {
      expect(looksLikeDicom(new Uint8Array(Buffer.from(text, 'latin1')))).toBe(false);
    }
  });
});
