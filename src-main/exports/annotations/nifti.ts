/**
 * NIfTI-1 label map (NAME.nii.gz) on the source grid, and its names beside it (NAME.labels.tsv). NIfTI's millimetres are
 * RAS: the first two rows of the LPS affine change sign. Format: nifti1.h (https://nifti.nimh.nih.gov/nifti-1).
 */
import type { AffineChain } from '../../../src-contract/geometry.ts';
import type { ExportOptions, FormatWriter, RunToExport } from '../export-run.ts';
import { describeVerdict } from '../findings.ts';
import type { OutputFolder } from '../output-folder.ts';
import { gzipInto } from './gzip-file.ts';
import { type LabelMap, labelMapOf } from './label-map.ts';

export async function openNifti(folder: OutputFolder, _options: ExportOptions): Promise<FormatWriter> {
  return {
    async add(item) {
      const map = labelMapOf(item.findings);
      const file = await folder.openFile(`${item.name}.nii.gz`);
      try {
        const gzip = gzipInto(file);
        await gzip.write(niftiHeader(map, item));
        for (let k = 0; k < map.size[2]; k++) await gzip.write(map.slice(k));
        await gzip.end();
      } finally {
        await file.close();
      }
      await folder.write(`${item.name}.labels.tsv`, labelTable(map));
    },
    finish: async () => undefined,
  };
}

function labelTable({ labels }: LabelMap): string {
  const rows = labels.map(({ value, name, finding }) =>
    [value, name, finding.key, finding.origin, describeVerdict(finding)]
      .map((one) => String(one).replace(/[\t\r\n]+/g, ' '))
      .join('\t'),
  );
  return `${['index\tname\tbox\torigin\tverdict', ...rows].join('\n')}\n`;
}

const headerBytes = 348;
const dataOffset = 352;
const uint8 = 2;
const int16 = 4;
const millimetres = 2;
const labelIntent = 1002;

function niftiHeader(map: LabelMap, { run, findings }: RunToExport): Uint8Array {
  const { chain } = findings;
  const bytes = Buffer.alloc(dataOffset);
  bytes.writeInt32LE(headerBytes, 0);
  bytes.writeUInt8('r'.charCodeAt(0), 38);
  for (const [n, size] of [3, ...map.size, 1, 1, 1, 1].entries()) bytes.writeInt16LE(size, 40 + 2 * n);
  bytes.writeInt16LE(labelIntent, 68);
  bytes.writeInt16LE(map.type === 'uint8' ? uint8 : int16, 70);
  bytes.writeInt16LE(map.type === 'uint8' ? 8 : 16, 72);
  const spacing = spacingOf(chain) ?? run.trace.series?.spacing ?? [1, 1, 1];
  for (const [n, step] of spacing.entries()) bytes.writeFloatLE(step, 80 + 4 * n);
  bytes.writeFloatLE(1, 76);
  bytes.writeFloatLE(dataOffset, 108);
  bytes.writeFloatLE(1, 112);
  bytes.writeUInt8(millimetres, 123);
  bytes.writeFloatLE(map.labels.length, 124);
  const words = ['Readroom boxes', findings.synthetic ? 'SYNTHETIC' : '', 'research use only, not clinical'];
  bytes.write(words.filter(Boolean).join('; ').slice(0, 79), 148, 'latin1');
  if (chain.sourceToPatient) writePlace(bytes, chain.sourceToPatient);
  bytes.write('n+1\0', 344, 'latin1');
  return bytes;
}

function spacingOf({ sourceToPatient: m }: AffineChain): number[] | null {
  return m && [0, 1, 2].map((axis) => Math.hypot(m[axis], m[4 + axis], m[8 + axis]));
}

/** sform always; qform too where the axes are perpendicular, which is all that a quaternion can say. */
function writePlace(bytes: Buffer, lps: readonly number[]): void {
  const ras = lps.map((value, index) => (index < 8 ? -value : value));
  bytes.writeInt16LE(1, 254);
  for (const [n, value] of ras.entries()) bytes.writeFloatLE(value, 280 + 4 * n);
  const column = (n: number): number[] => [ras[n], ras[4 + n], ras[8 + n]];
  const [i, j, k] = [0, 1, 2].map((n) => {
    const length = Math.hypot(...column(n));
    return column(n).map((value) => value / length);
  });
  const dot = (a: number[], b: number[]): number => a.reduce((sum, value, n) => sum + value * b[n], 0);
  if (Math.max(Math.abs(dot(i, j)), Math.abs(dot(j, k)), Math.abs(dot(i, k))) > 1e-4) return;
  const handed =
    i[0] * (j[1] * k[2] - j[2] * k[1]) -
    j[0] * (i[1] * k[2] - i[2] * k[1]) +
    k[0] * (i[1] * j[2] - i[2] * j[1]);
  const qfac = handed < 0 ? -1 : 1;
  const [b, c, d] = quaternion(
    i,
    j,
    k.map((value) => value * qfac),
  );
  bytes.writeInt16LE(1, 252);
  bytes.writeFloatLE(qfac, 76);
  for (const [n, value] of [b, c, d, ras[3], ras[7], ras[11]].entries())
    bytes.writeFloatLE(value, 256 + 4 * n);
}

/** b, c, d of the unit quaternion of the rotation with columns i, j, k; a is not negative (nifti1_io.c). */
function quaternion(i: number[], j: number[], k: number[]): [number, number, number] {
  const trace = i[0] + j[1] + k[2];
  if (trace > -0.5) {
    const a = 0.5 * Math.sqrt(1 + trace);
    return [(j[2] - k[1]) / (4 * a), (k[0] - i[2]) / (4 * a), (i[1] - j[0]) / (4 * a)];
  }
  const squares = [1 + i[0] - j[1] - k[2], 1 - i[0] + j[1] - k[2], 1 - i[0] - j[1] + k[2]];
  let q: [number, number, number];
  let a: number;
  if (squares[0] >= squares[1] && squares[0] >= squares[2]) {
    const b = 0.5 * Math.sqrt(squares[0]);
    q = [b, (j[0] + i[1]) / (4 * b), (k[0] + i[2]) / (4 * b)];
    a = (j[2] - k[1]) / (4 * b);
  } else if (squares[1] >= squares[2]) {
    const c = 0.5 * Math.sqrt(squares[1]);
    q = [(j[0] + i[1]) / (4 * c), c, (k[1] + j[2]) / (4 * c)];
    a = (k[0] - i[2]) / (4 * c);
  } else {
    const d = 0.5 * Math.sqrt(squares[2]);
    q = [(k[0] + i[2]) / (4 * d), (k[1] + j[2]) / (4 * d), d];
    a = (i[1] - j[0]) / (4 * d);
  }
  return a < 0 ? [-q[0], -q[1], -q[2]] : q;
}
