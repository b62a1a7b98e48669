/** A reader's own lengths and rectangles: kept in index coordinates of the slice they were drawn on. */
import { seriesKey } from '../../state/study-store.ts';
import type { ImageSource } from '../pixels/image-scheme.ts';
import { type Axis, length, subtract, transform, type Vec3 } from '../vector.ts';

export interface Measurement {
  readonly id: number;
  readonly kind: 'length' | 'rectangle';
  /** seriesKey of what it was drawn on. */
  readonly series: string;
  readonly axis: Axis;
  readonly slice: number;
  /** Ends of the length, opposite corners of the rectangle. */
  readonly ends: readonly [Vec3, Vec3];
}

let all: readonly Measurement[] = [];
let selected: number | null = null;
let lastId = 0;
const listeners = new Set<() => void>();
const changed = () => {
  for (const listener of listeners) listener();
};

export const measurements = {
  listen(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  on: (source: ImageSource, axis: Axis, slice: number): readonly Measurement[] =>
    all.filter((one) => one.series === seriesKey(source.ref) && one.axis === axis && one.slice === slice),
  get selected(): number | null {
    return selected;
  },
  select(id: number | null): void {
    if (selected === id) return;
    selected = id;
    changed();
  },
  add(source: ImageSource, measurement: Pick<Measurement, 'kind' | 'axis' | 'slice' | 'ends'>): number {
    lastId += 1;
    all = [...all, { ...measurement, id: lastId, series: seriesKey(source.ref) }];
    selected = lastId;
    changed();
    return lastId;
  },
  moveEnd(id: number, end: 0 | 1, to: Vec3): void {
    all = all.map((one) =>
      one.id === id ? { ...one, ends: end === 0 ? [to, one.ends[1]] : [one.ends[0], to] } : one,
    );
    changed();
  },
  remove(id: number): void {
    all = all.filter((one) => one.id !== id);
    if (selected === id) selected = null;
    changed();
  },
  clear(): void {
    all = [];
    selected = null;
    changed();
  },
  forgetStudy(studyId: string): void {
    all = all.filter(({ series }) => !series.startsWith(`${studyId}/`));
    changed();
  },
  get count(): number {
    return all.length;
  },
};

const number = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1));

/** What a measurement says: millimetres where the file gives a spacing, pixels otherwise. */
export function describe(
  source: ImageSource,
  { kind, axis, slice, ends }: Measurement,
  pixelsOf: (k: number) => ArrayLike<number> | null,
): string {
  const { geometry } = source;
  const unit = geometry.isCalibrated ? 'mm' : 'px';
  const [a, b] = ends;
  if (kind === 'length') {
    const from = transform(geometry.indexToWorld, a);
    return `${number(length(subtract(transform(geometry.indexToWorld, b), from)))} ${unit}`;
  }
  const sides = [0, 1, 2]
    .filter((one) => one !== axis)
    .map((one) => Math.abs(b[one] - a[one]) * geometry.spacing[one]);
  const size = `${number(sides[0])} × ${number(sides[1])} ${unit}`;
  const statistics = source.pixels.channels === 1 ? statisticsOf(source, axis, slice, ends, pixelsOf) : null;
  if (!statistics) return size;
  const { units } = source.series;
  return `${size}\nmean ${number(statistics.mean)}${units ? ` ${units}` : ''}, SD ${number(statistics.deviation)}`;
}

/** Mean and standard deviation of the voxels whose centres lie in the rectangle; null while some are not loaded. */
function statisticsOf(
  { pixels, geometry }: ImageSource,
  axis: Axis,
  slice: number,
  [a, b]: readonly [Vec3, Vec3],
  pixelsOf: (k: number) => ArrayLike<number> | null,
): { mean: number; deviation: number } | null {
  const from = [0, 1, 2].map((n) => (n === axis ? slice : Math.max(0, Math.ceil(Math.min(a[n], b[n])))));
  const to = [0, 1, 2].map((n) =>
    n === axis ? slice : Math.min(geometry.size[n] - 1, Math.floor(Math.max(a[n], b[n]))),
  );
  let count = 0;
  let sum = 0;
  let squares = 0;
  for (let k = from[2]; k <= to[2]; k++) {
    const data = pixelsOf(k);
    if (!data) return null;
    for (let j = from[1]; j <= to[1]; j++) {
      for (let i = from[0]; i <= to[0]; i++) {
        const value = data[j * pixels.columns + i];
        count++;
        sum += value;
        squares += value * value;
      }
    }
  }
  if (count === 0) return null;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
