/** Studies that tests open: a marked volume as DICOM and as NIfTI, a marked picture, a large series, hostile files. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { zipSync } from 'fflate';
import { writeDicom, writeSeries } from '../../src-main/study/testing/dicom-writer.ts';

export type Triple = readonly [number, number, number];

/** A body with two lungs, and in the right one a bright block with flat surroundings, from which pixels can be read. */
export const marked = {
  size: [96, 80, 48] as Triple,
  spacing: [3, 3, 5] as Triple,
  /** Patient millimetres of voxel 0; axes along L, P, H. */
  origin: [-142.5, -118.5, 300] as Triple,
  /** Voxels of the block, upper bounds exclusive. */
  block: { min: [22, 28, 16] as Triple, max: [40, 46, 30] as Triple },
  surroundings: -120,
  brightness: 200,
};

/** The block's outer faces in patient millimetres. */
export const markedMillimetres = {
  min: marked.block.min.map((at, axis) => marked.origin[axis] + (at - 0.5) * marked.spacing[axis]),
  max: marked.block.max.map((at, axis) => marked.origin[axis] + (at - 0.5) * marked.spacing[axis]),
};

const inside = (at: Triple, min: Triple, max: Triple, margin: number): boolean =>
  at.every((value, axis) => value >= min[axis] - margin && value < max[axis] + margin);

/** Hounsfield units of the marked volume. */
export function markedValue(i: number, j: number, k: number): number {
  const { block, brightness, surroundings } = marked;
  if (inside([i, j, k], block.min, block.max, 0)) return brightness;
  if (inside([i, j, k], block.min, block.max, 5)) return surroundings;
  const ellipse = (x: number, y: number, a: number, b: number) => ((i - x) / a) ** 2 + ((j - y) / b) ** 2;
  if (ellipse(48, 40, 44, 34) > 1) return -150;
  if (ellipse(28, 40, 15, 22) < 1 || ellipse(68, 40, 15, 22) < 1) return surroundings;
  return 40 + ((i * 7 + j * 13 + k * 5) % 9);
}

/** A folder with one file a slice, named in an order that says nothing. */
export function writeMarkedDicom(folder: string): string {
  const [columns, rows, slices] = marked.size;
  const [sx, sy, sz] = marked.spacing;
  const [ox, oy, oz] = marked.origin;
  mkdirSync(folder, { recursive: true });
  const files = writeSeries({
    columns,
    rows,
    slices,
    affine: [sx, 0, 0, ox, 0, sy, 0, oy, 0, 0, sz, oz],
    value: markedValue,
  });
  for (const [k, file] of files.entries()) writeFileSync(join(folder, `${(k * 7) % slices}.dcm`), file);
  return folder;
}

/** The same volume as a NIfTI that stores its axes in another order, two of them backwards. */
export function writeMarkedNifti(file: string): string {
  const [columns, rows, slices] = marked.size;
  const dims = [slices, columns, rows];
  const [sx, sy, sz] = marked.spacing;
  const [ox, oy, oz] = marked.origin;
  // Stored index (x, y, z) is voxel (y, rows - 1 - z, slices - 1 - x); NIfTI counts to the right and front (RAS).
  const ras = [
    [0, -sx, 0, -ox],
    [0, 0, sy, -(oy + sy * (rows - 1))],
    [-sz, 0, 0, oz + sz * (slices - 1)],
  ].flat();
  const bytes = Buffer.alloc(352 + columns * rows * slices * 2);
  bytes.writeInt32LE(348, 0);
  for (const [n, size] of [3, ...dims, 1, 1, 1, 1].entries()) bytes.writeInt16LE(size, 40 + n * 2);
  bytes.writeInt16LE(4, 70);
  bytes.writeInt16LE(16, 72);
  for (const [n, step] of [1, sz, sx, sy, 1].entries()) bytes.writeFloatLE(step, 76 + n * 4);
  bytes.writeFloatLE(352, 108);
  bytes.writeFloatLE(1, 112);
  bytes.writeUInt8(2, 123);
  bytes.writeInt16LE(1, 254);
  for (const [n, value] of ras.entries()) bytes.writeFloatLE(value, 280 + n * 4);
  bytes.write('n+1\0', 344, 'latin1');
  let offset = 352;
  for (let z = 0; z < rows; z++)
    for (let y = 0; y < columns; y++)
      for (let x = 0; x < slices; x++) {
        bytes.writeInt16LE(markedValue(y, rows - 1 - z, slices - 1 - x), offset);
        offset += 2;
      }
  writeFileSync(file, bytes);
  return file;
}

/** Where the block of the marked picture lies, upper bounds exclusive. */
export const markedPicture = { size: [320, 240], min: [70, 60], max: [130, 140] } as const;

/** Grey level of the marked picture. */
function markedLevel(x: number, y: number): number {
  const { min, max } = markedPicture;
  const inside = (margin: number) =>
    x >= min[0] - margin && x < max[0] + margin && y >= min[1] - margin && y < max[1] + margin;
  return inside(0) ? 230 : inside(15) ? 40 : 60 + ((x * 3 + y * 5) % 40);
}

export function writeMarkedPicture(file: string): string {
  const [width, height] = markedPicture.size;
  const data = Uint8Array.from({ length: width * height }, (_, n) =>
    markedLevel(n % width, Math.floor(n / width)),
  );
  writeFileSync(file, encode({ width, height, data, channels: 1, depth: 8 }));
  return file;
}

/** Millimetres at the detector of one pixel of the marked radiograph. */
export const radiographSpacing = 0.143;

/** The marked picture as a detector gives it: 12 bits, low values bright (MONOCHROME1), spacing at the detector only. */
export function writeMarkedRadiograph(file: string): string {
  const [columns, rows] = markedPicture.size;
  const pixels = new Uint8Array(columns * rows * 2);
  const view = new DataView(pixels.buffer);
  for (let n = 0; n < columns * rows; n++) {
    view.setUint16(n * 2, 4095 - 16 * markedLevel(n % columns, Math.floor(n / columns)), true);
  }
  const bytes = writeDicom({
    '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.1.1'],
    '00080018': ['UI', '1.2.3.6.1'],
    '00080060': ['CS', 'DX'],
    '0008103E': ['LO', 'Chest PA for tests'],
    '00100010': ['PN', 'Nobody^Test'],
    '00181164': ['DS', [radiographSpacing, radiographSpacing]],
    '0020000D': ['UI', '1.2.3.6'],
    '0020000E': ['UI', '1.2.3.6.0'],
    '00280002': ['US', 1],
    '00280004': ['CS', 'MONOCHROME1'],
    '00280010': ['US', rows],
    '00280011': ['US', columns],
    '00280100': ['US', 16],
    '00280101': ['US', 12],
    '00280102': ['US', 11],
    '00280103': ['US', 0],
    '7FE00010': ['OW', pixels],
  });
  writeFileSync(file, bytes);
  return file;
}

/** A series of many slices, each with structure of its own. */
export function writeLargeSeries(folder: string, slices: number, side: number): string {
  mkdirSync(folder, { recursive: true });
  // Written one by one: a thousand slices at once would fill the memory of the test itself.
  for (let k = 0; k < slices; k++) {
    const [file] = writeSeries({
      columns: side,
      rows: side,
      slices: 1,
      affine: [0.8, 0, 0, 0, 0, 0.8, 0, 0, 0, 0, 1.25, 1.25 * k],
      value: (i, j) => ((i * 3 + j * 5 + k * 7) % 400) - 200,
      extra: () => ({ '00080018': ['UI', `1.2.3.4.${k + 1}`], '00200013': ['IS', k + 1] }),
    });
    if (file) writeFileSync(join(folder, `${String(k).padStart(5, '0')}.dcm`), file);
  }
  return folder;
}

/** A good series with one file cut in the middle and one that only pretends to be DICOM. */
export function writeFolderWithBrokenFiles(folder: string): string {
  writeMarkedDicom(folder);
  const [whole] = writeSeries({
    columns: 64,
    rows: 64,
    slices: 1,
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
    value: () => 0,
    extra: () => ({ '0020000E': ['UI', '1.2.3.5'] }),
  });
  if (whole) writeFileSync(join(folder, 'cut.dcm'), whole.subarray(0, whole.length / 2));
  const pretender = Buffer.alloc(600, 0xa5);
  pretender.write('DICM', 128);
  writeFileSync(join(folder, 'pretender.dcm'), pretender);
  return folder;
}

/** 4 GB of zeros in a few kilobytes, announced as a picture, several times over the same bytes. */
export function writeZipBomb(file: string): string {
  const zip = Buffer.from(zipSync({ 'scan.dcm': [new Uint8Array(1 << 20), { level: 9 }] }));
  const directory = zip.readUInt32LE(zip.length - 6);
  const entry = zip.subarray(directory, zip.length - 22);
  // One stored member, listed a thousand times: every listing is good by itself, together they unpack to a flood.
  const copies = 1_000;
  const listing = Buffer.concat(Array.from({ length: copies }, () => entry));
  const end = Buffer.from(zip.subarray(zip.length - 22));
  end.writeUInt16LE(copies, 8);
  end.writeUInt16LE(copies, 10);
  end.writeUInt32LE(listing.length, 12);
  writeFileSync(file, Buffer.concat([zip.subarray(0, directory), listing, end]));
  return file;
}
