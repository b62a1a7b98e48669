import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import { decode, encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStudy } from '../open-study.ts';
import { defaultLimits } from '../reader.ts';
import { crc32 } from '../readers/crc32.ts';
import { readPart10 } from '../readers/dicom/part10.ts';
import { type DicomElements, writeDicom, writeSeries } from '../testing/dicom-writer.ts';
import { deidentify } from './deidentify.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures');
const secret = /Smith|ID-4711|19700101|Hospital|ACC-9/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-clean-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const named: DicomElements = {
  '00080020': ['DA', '19700101'],
  '00080050': ['SH', 'ACC-9'],
  '00080080': ['LO', 'Hospital'],
  '00081030': ['LO', 'Smith chest'],
  '00081140': ['SQ', [{ '00081155': ['UI', '1.2.3'], '00100010': ['PN', 'Smith^Nested'] }]],
  '00100010': ['PN', 'Smith^John'],
  '00100020': ['LO', 'ID-4711'],
  '00100030': ['DA', '19700101'],
  '00091010': ['LO', 'Smith private'],
  '00204000': ['LT', 'Smith was here'],
  '52009229': [
    'SQ',
    [
      {
        '00209111': ['SQ', [{ '00189074': ['DT', '19700101'], '00209057': ['UL', 3] }]],
        '00104000': ['LT', 'Smith'],
      },
    ],
  ],
};
const slice = (transferSyntax?: string, extra: DicomElements = {}) =>
  writeSeries({
    columns: 5,
    rows: 4,
    slices: 1,
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    value: (i, j) => i + 10 * j,
    extra: () => ({ ...named, ...extra }),
    transferSyntax,
  })[0] as Uint8Array;

async function pixelsOf(name: string, bytes: Uint8Array) {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const open = await openStudy([file]);
  const [series] = open.study.series;
  if (!series) throw new Error(`nothing in ${name}: ${JSON.stringify(open.study.problems)}`);
  const { data } = await open.readPixels(series.id);
  return { data, sourceToPatient: series.sourceToPatient, modality: series.modality };
}

describe('DICOM', () => {
  it.each([
    ['explicit little endian', undefined],
    ['implicit', '1.2.840.10008.1.2'],
    ['big endian', '1.2.840.10008.1.2.2'],
    ['deflated', '1.2.840.10008.1.2.1.99'],
  ])('%s: nothing that names, the same pixels in the same place', async (_what, syntax) => {
    const original = slice(syntax);
    const { bytes, suffix } = await deidentify(original, 'Smith.dcm');
    expect(suffix).toBe('.dcm');
    expect(Buffer.from(bytes).toString('latin1')).not.toMatch(secret);
    expect(await pixelsOf('clean.dcm', bytes)).toEqual(await pixelsOf('original.dcm', original));
    const { dataSet, warnings, fault } = readPart10(bytes, 'clean', defaultLimits);
    expect([warnings, fault]).toEqual([[], undefined]);
    expect(dataSet.string(0x00120062)).toBe('YES');
    expect(dataSet.items(0x00120064).map((item) => item.string(0x00080100))).toEqual(['113100', '113110']);
    expect(dataSet.string(0x00080018)).toBe('1.2.3.4.1');
    expect(dataSet.item(0x52009229)?.item(0x00209111)?.number(0x00209057, 'UL')).toBe(3);
    // What a conforming writer promises: attributes in rising order.
    const tags = dataSet.elements().map(({ tag }) => tag);
    expect(tags).toEqual([...tags].sort((a, b) => a - b));
  });

  it('what follows encapsulated pixels is not taken along', async () => {
    const fragments = [Buffer.from([1, 2, 3, 4])];
    const plain = { '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.2'], ...named } as DicomElements;
    const file = writeDicom(plain, { transferSyntax: '1.2.840.10008.1.2.5', fragments });
    const after = Buffer.from('\xfc\xff\xfc\xffOB\0\0\x06\0\0\0Smith ', 'latin1');
    const { bytes } = await deidentify(new Uint8Array(Buffer.concat([file, after])), 'x.dcm');
    expect(Buffer.from(bytes).toString('latin1')).not.toMatch(secret);
    expect(readPart10(bytes, 'x', defaultLimits).pixel).toBeDefined();
  });

  it.each<[string, DicomElements]>([
    ['says so', { '00280301': ['CS', 'YES'] }],
    ['is ultrasound', { '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.6.1'] }],
    ['is a capture of a screen', { '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'] }],
  ])('a picture that may show a name is refused where it %s', async (_what, extra) => {
    await expect(deidentify(slice(undefined, extra), 'x.dcm')).rejects.toMatchObject({
      code: 'format-unsupported',
    });
  });

  it('a capture that says that there is no name in it is taken', async () => {
    const extra: DicomElements = {
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'],
      '00280301': ['CS', 'NO'],
    };
    await expect(deidentify(slice(undefined, extra), 'x.dcm')).resolves.toBeDefined();
  });

  it('files cut short are refused', async () => {
    const whole = slice();
    await expect(deidentify(whole.subarray(0, whole.length - 8), 'x.dcm')).rejects.toMatchObject({
      code: expect.stringMatching(/^file-/),
    });
  });

  it("pydicom's files keep their pixels, or are refused with a reason", async () => {
    const files = join(fixtures, 'dicom', 'files');
    let same = 0;
    const all = readdirSync(files, { recursive: true, encoding: 'utf8' });
    for (const name of all.filter((one) => statSync(join(files, one)).isFile())) {
      const original = new Uint8Array(readFileSync(join(files, name)));
      const before = await pixelsOf(`o-${basename(name)}`, original).catch(() => null);
      const clean = await deidentify(original, name).catch((thrown: { code?: string }) => {
        expect(thrown.code, name).toMatch(/^(file|format)-/);
        return null;
      });
      if (!before || !clean) continue;
      const after = await pixelsOf(`c-${basename(name)}`, clean.bytes);
      expect(after.data, name).toEqual(before.data);
      expect(after.sourceToPatient, name).toEqual(before.sourceToPatient);
      same++;
    }
    expect(same).toBeGreaterThan(5);
  }, 60_000);
});

describe('other formats', () => {
  const volume = (name: string) => new Uint8Array(readFileSync(join(fixtures, 'volumes', name)));

  it.each(['oblique-int16.nii.gz', 'nifti2-float32.nii.gz', 'int8.nii'])('NIfTI %s', async (name) => {
    const packed = name.endsWith('.gz');
    const plain = packed ? gunzipSync(volume(name)) : Buffer.from(volume(name));
    const two = plain.readInt32LE(0) === 540;
    plain.write('Smith', two ? 240 : 148, 'latin1');
    plain.write('Hospital', two ? 320 : 228, 'latin1');
    const original = new Uint8Array(packed ? gzipSync(plain) : plain);
    const { bytes, suffix } = await deidentify(original, `Smith.${packed ? 'nii.gz' : 'nii'}`);
    expect(suffix).toBe(packed ? '.nii.gz' : '.nii');
    expect((packed ? gunzipSync(bytes) : Buffer.from(bytes)).toString('latin1')).not.toMatch(secret);
    expect(await pixelsOf(`c${suffix}`, bytes)).toEqual(await pixelsOf(`o${suffix}`, original));
  });

  it('MetaImage and NRRD keep how the voxels lie, and lose what a person wrote', async () => {
    const mha = volume('itk-oblique.mha');
    const withText = new Uint8Array(
      Buffer.concat([Buffer.from('Comment = Smith\nPatient = ID-4711\n'), mha]),
    );
    const clean = await deidentify(withText, 'Smith.mha');
    expect(Buffer.from(clean.bytes).toString('latin1')).not.toMatch(secret);
    expect(await pixelsOf('c.mha', clean.bytes)).toEqual(await pixelsOf('o.mha', withText));

    const nrrd = Buffer.from(volume('itk-oblique.nrrd'));
    const first = nrrd.indexOf(10) + 1;
    const added = Buffer.from('# Smith\ncontent: Hospital\ndicom_0010_0010:=Smith^John\n');
    const changed = new Uint8Array(Buffer.concat([nrrd.subarray(0, first), added, nrrd.subarray(first)]));
    const tidy = await deidentify(changed, 'Smith.nrrd');
    expect(Buffer.from(tidy.bytes).toString('latin1')).not.toMatch(secret);
    expect(await pixelsOf('c.nrrd', tidy.bytes)).toEqual(await pixelsOf('o.nrrd', changed));
  });

  it.each(['itk-detached.mhd', 'las-gzip.nrrd'])(
    '%s: a header without its voxels is refused, a whole file is not',
    async (name) => {
      const cleaning = deidentify(volume(name), name);
      if (name.endsWith('.mhd')) await expect(cleaning).rejects.toMatchObject({ code: 'format-unsupported' });
      else await expect(cleaning).resolves.toBeDefined();
    },
  );

  it('PNG and JPEG lose their texts and keep their pixels', async () => {
    const png = Buffer.from(
      encode({ width: 3, height: 2, data: new Uint8Array([1, 2, 3, 4, 5, 6]), channels: 1 }),
    );
    const text = Buffer.from('tEXtAuthor\0Smith');
    const chunk = Buffer.alloc(text.length + 8);
    chunk.writeUInt32BE(text.length - 4, 0);
    text.copy(chunk, 4);
    chunk.writeUInt32BE(crc32(text), text.length + 4);
    const changed = new Uint8Array(Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]));
    expect(decode(changed).text).toEqual({ Author: 'Smith' });
    const { bytes } = await deidentify(changed, 'x.png');
    expect(decode(bytes).text).toEqual({});
    expect(decode(bytes).data).toEqual(decode(changed).data);

    const jpeg = Buffer.from(volume('420.jpg'));
    const comment = Buffer.from('\xff\xfe\0\x08Smith!\xff\xe1\0\x0aExif\0\0ID', 'latin1');
    const withComment = new Uint8Array(
      Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2), Buffer.from('Smith')]),
    );
    const clean = await deidentify(withComment, 'x.jpg');
    expect(Buffer.from(clean.bytes).toString('latin1')).not.toMatch(/Smith|Exif/);
    expect(await pixelsOf('c.jpg', clean.bytes)).toEqual(await pixelsOf('o.jpg', new Uint8Array(jpeg)));
  });

  it('TIFF and what is no image are refused', async () => {
    await expect(deidentify(volume('int16.tif'), 'x.tif')).rejects.toMatchObject({
      code: 'format-unsupported',
    });
    await expect(deidentify(deflateRawSync(Buffer.from('text')), 'x.txt')).rejects.toMatchObject({
      code: 'format-unsupported',
    });
  });
});
