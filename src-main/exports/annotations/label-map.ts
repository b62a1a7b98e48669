/**
 * Boxes as a label map on the source's own grid: background 0, the boxes 1, 2, 3… in the order of `keptFindings`. One
 * voxel holds one label: smaller boxes lie over larger ones. A voxel belongs to a box when its centre is inside.
 */
import { NotExportable } from '../export-run.ts';
import type { Finding, Findings } from '../findings.ts';
import { keptFindings, voxelRange } from '../findings.ts';

export interface Label {
  readonly value: number;
  readonly name: string;
  readonly finding: Finding;
  /** First and last voxel along i, j, k. */
  readonly range: readonly (readonly [number, number])[];
}

export interface LabelMap {
  /** [columns, rows, slices] of the source. */
  readonly size: readonly [number, number, number];
  readonly type: 'uint8' | 'int16';
  readonly labels: readonly Label[];
  /** Voxels of slice k, i fastest; little endian where two bytes hold one. */
  slice(k: number): Uint8Array;
}

/** What NIfTI-1 can count (16 bits, signed), and voxels of one slice that are held in memory. */
const mostAlongAxis = 32_767;
const mostInSlice = 1 << 28;

/** @throws NotExportable for a grid that no label map can have: traces are imported from anywhere */
export function labelMapOf(findings: Findings): LabelMap {
  const { chain } = findings;
  requireSize(chain.sourceSize);
  const labels = keptFindings(findings).map((finding, index) => ({
    value: index + 1,
    name: finding.label,
    finding,
    range: voxelRange(chain, finding.box),
  }));
  const [columns, rows] = chain.sourceSize;
  const type = labels.length > 255 ? 'int16' : 'uint8';
  const bytes = type === 'int16' ? 2 : 1;
  const count = ({ range }: Label): number => range.reduce((n, [first, last]) => n * (last - first + 1), 1);
  const largestFirst = [...labels].sort((a, b) => count(b) - count(a));
  return {
    size: chain.sourceSize,
    type,
    labels,
    slice(k) {
      const out = new Uint8Array(columns * rows * bytes);
      const view = new DataView(out.buffer);
      for (const { value, range } of largestFirst) {
        if (k < range[2][0] || k > range[2][1]) continue;
        for (let j = range[1][0]; j <= range[1][1]; j++) {
          for (let i = range[0][0]; i <= range[0][1]; i++) {
            const at = j * columns + i;
            if (bytes === 2) view.setInt16(at * 2, value, true);
            else out[at] = value;
          }
        }
      }
      return out;
    },
  };
}

function requireSize([columns, rows, slices]: readonly [number, number, number]): void {
  if (Math.max(columns, rows, slices) <= mostAlongAxis && columns * rows <= mostInSlice) return;
  throw new NotExportable(
    `A label map of ${columns} x ${rows} x ${slices} voxels is more than its format holds.`,
  );
}
