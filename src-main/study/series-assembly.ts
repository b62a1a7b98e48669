/**
 * Puts DICOM instances together into series by geometry: position projected on the slice normal, never file names, and
 * instance numbers only where there is no position.
 */
import { createHash } from 'node:crypto';
import type { Series, SourceFile, Window } from '../../src-contract/study.ts';
import type { AssembledSeries } from './reader.ts';
import { isMirrored, mirrorSum } from './readers/dicom/frame-values.ts';
import type { DicomInstance } from './readers/dicom/instance.ts';
import { evenRuns, type Grid, gridOf } from './series-assembly/geometry.ts';
import { groupSlices, type SliceGroup } from './series-assembly/groups.ts';
import { readSlices } from './series-assembly/read-series.ts';
import { inFileOrder, type PlacedSlice, placeSlices, type Slice } from './series-assembly/slice.ts';
import { type Part, partitions, splitOverlaps } from './series-assembly/split-by-trait.ts';

/** Series in order of their numbers; every frame of every instance is in exactly one of them (copies apart). */
export function assembleSeries(instances: readonly DicomInstance[]): AssembledSeries[] {
  return groupSlices(instances)
    .flatMap((group) => fromGroup(group))
    .sort((a, b) => a.order - b.order)
    .map(({ assembled }) => assembled);
}

interface Draft {
  order: number;
  assembled: AssembledSeries;
}

function fromGroup(group: SliceGroup): Draft[] {
  const placed = placeSlices(group.slices);
  if (!placed) return [withoutGeometry(group)];
  return splitOverlaps(placed).flatMap((part) => fromPart(part, group.warnings));
}

/** One part has one slice at each position, but perhaps not evenly. */
function fromPart(part: Part, groupWarnings: string[]): Draft[] {
  const warnings = [...groupWarnings, ...part.warnings];
  const whole = gridOf(part.slices);
  if (whole) return [fromGrid(whole, part.label, warnings)];
  for (const parts of partitions(part.slices)) {
    const grids = parts.map((one) => gridOf(one.slices));
    if (grids.every((grid) => grid !== undefined)) {
      return grids.map((grid, i) => fromGrid(grid, joined(part.label, parts[i].label), warnings));
    }
  }
  const grids = evenRuns(part.slices).map(gridOf);
  const usable = grids.every((grid) => grid !== undefined);
  // Irregular throughout: a stack to page through is more honest than a dozen fragments.
  if (!usable || grids.length > Math.max(3, part.slices.length / 4)) return [unevenStack(part, warnings)];
  return grids.map((grid, i) => {
    const label = joined(part.label, `part ${i + 1} of ${grids.length}`);
    return fromGrid(grid, label, [...warnings, gapWarning(grids, i)]);
  });
}

function gapWarning(grids: readonly Grid[], index: number): string {
  const gaps = grids.slice(1).map((grid, i) => {
    const before = grids[i].slices;
    return (grid.slices[0].along - before[before.length - 1].along).toFixed(2);
  });
  return (
    `Slices are missing or the spacing changes (steps of ${gaps.join(', ')} mm between parts), so this series is ` +
    `shown as ${grids.length} parts; this is part ${index + 1}.`
  );
}

function fromGrid(grid: Grid, label: string, warnings: readonly string[]): Draft {
  return draft(grid.slices, label, [...warnings, ...grid.warnings], {
    kind: grid.slices.length === 1 ? 'image' : 'volume',
    spacing: grid.spacing,
    sourceToPatient: [...grid.affine],
  });
}

function unevenStack(part: Part, warnings: readonly string[]): Draft {
  const slices: PlacedSlice[] = part.slices;
  const why = slices[0].info.spacing
    ? 'Slices are unevenly spaced throughout: they form no volume, and boxes have no patient coordinates.'
    : 'The pixel spacing is missing: boxes have no patient coordinates.';
  return draft(slices, part.label, [...warnings, why], {
    kind: slices.length === 1 ? 'image' : 'stack',
    spacing: null,
    sourceToPatient: null,
  });
}

function withoutGeometry(group: SliceGroup): Draft {
  const slices = [...group.slices].sort(inFileOrder);
  const { info } = slices[0];
  const single = slices.length === 1;
  const warnings = [...group.warnings];
  if (!single) warnings.push('No positions in the patient: slices are in order of their numbers.');
  return draft(slices, '', warnings, {
    kind: single ? 'image' : 'stack',
    spacing: info.spacing && single ? [info.spacing.columns, info.spacing.rows, info.thickness ?? 1] : null,
    sourceToPatient: null,
  });
}

function joined(...labels: string[]): string {
  return labels.filter((label) => label !== '').join(', ');
}

function draft(
  slices: readonly Slice[],
  label: string,
  warnings: readonly string[],
  geometry: Pick<Series, 'kind' | 'spacing' | 'sourceToPatient'>,
): Draft {
  const { instance } = slices[0];
  const { pixels } = instance;
  const middle = slices[slices.length >> 1];
  const mirrored = isMirrored(pixels, instance.units);
  const description = instance.description || instance.modality;
  const series: Series = {
    id: seriesId(slices),
    format: 'dicom',
    modality: instance.modality,
    description: label ? `${description} (${label})` : description,
    ...geometry,
    columns: pixels.columns,
    rows: pixels.rows,
    slices: slices.length,
    channels: pixels.photometric === 'PALETTE COLOR' ? 3 : pixels.samples,
    windows: seriesWindows(middle, mirrored),
    units: pixels.samples === 1 && pixels.photometric !== 'PALETTE COLOR' ? instance.units : '',
    synthetic: slices.some((slice) => slice.instance.synthetic),
    sources: uniqueSources(slices),
    warnings: allWarnings(slices, warnings, mirrored),
    identifiers: { ...instance.identifiers },
  };
  return {
    order: instance.seriesNumber ?? Number.MAX_SAFE_INTEGER,
    assembled: {
      series,
      read: (load, options) => readSlices(series, slices, load, options),
      sourceOf: (slice) => slices[slice].instance.source,
      frameOf: (slice) => ({ frame: slices[slice].frame, frames: slices[slice].instance.frames }),
      readSlice: (slice, load, options) => readSlices(series, [slices[slice]], load, options),
    },
  };
}

/** The same files in the same order give the same id, wherever they lie. */
function seriesId(slices: readonly Slice[]): string {
  const hash = createHash('sha256');
  for (const { instance, frame } of slices) hash.update(`${instance.source.sha256} ${frame}\n`);
  return `dicom-${hash.digest('hex').slice(0, 16)}`;
}

function uniqueSources(slices: readonly Slice[]): SourceFile[] {
  return [...new Set(slices.map((slice) => slice.instance))].map((instance) => instance.source);
}

/** Windows of the middle slice: those of the first are often set for air. */
function seriesWindows(slice: Slice, mirrored: boolean): Window[] {
  const { pixels } = slice.instance;
  if (pixels.samples === 3 || pixels.photometric === 'PALETTE COLOR') return [];
  if (!mirrored) return [...slice.info.windows];
  const sum = mirrorSum(pixels, slice.info);
  return slice.info.windows.map(({ center, width }) => ({ center: sum - center, width }));
}

/** Warnings of the files, each once, with the number of files where several say the same. */
function allWarnings(slices: readonly Slice[], own: readonly string[], mirrored: boolean): string[] {
  const counts = new Map<string, number>();
  const instances = new Set(slices.map((slice) => slice.instance));
  for (const instance of instances) {
    for (const warning of instance.warnings) counts.set(warning, (counts.get(warning) ?? 0) + 1);
  }
  const out = [...new Set(own)];
  for (const [warning, count] of counts) out.push(count > 1 ? `${warning} (${count} files)` : warning);
  const { pixels, units } = [...instances][0];
  if (mirrored) {
    out.push(
      'Stored as MONOCHROME1 (low values bright): values are mirrored, so that high values are bright.',
    );
  } else if (pixels.photometric === 'MONOCHROME1') {
    out.push(
      `Stored as MONOCHROME1 (low values bright): values are kept, because they are ${units || 'fractions'}.`,
    );
  }
  if (pixels.samples === 3 && pixels.bitsStored > 8)
    out.push(`Colours of ${pixels.bitsStored} bits are shown with 8.`);
  return out;
}
