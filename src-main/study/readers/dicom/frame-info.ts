/**
 * What each frame of an instance means and where it lies: from the image's own attributes (PS3.3 section C.7.6.2), from
 * the functional groups of an enhanced multi-frame object (C.7.6.16), or from the frame offsets of a dose grid.
 */
import type { Window } from '../../../../src-contract/study.ts';
import type { DataSet } from './data-set.ts';
import { type ModalityLut, readModalityLut } from './modality-lut.ts';

export type Vector = readonly [number, number, number];

export interface FrameInfo {
  /** Centre of the first voxel in patient LPS millimetres (Image Position (Patient)). */
  position?: Vector;
  /** Unit vectors along a row (towards higher columns) and along a column (towards higher rows). */
  orientation?: { row: Vector; column: Vector };
  /** Millimetres between the centres of neighbouring rows, and of neighbouring columns. */
  spacing?: { rows: number; columns: number };
  /** Millimetres. */
  thickness?: number;
  slope: number;
  intercept: number;
  lut?: ModalityLut;
  windows: Window[];
  /** What tells frames at one position apart: name of the attribute -> its value. */
  traits: Readonly<Record<string, string>>;
}

/** One FrameInfo a frame. */
export function readFrameInfos(dataSet: DataSet, frames: number): FrameInfo[] {
  const shared = dataSet.item(0x52009229);
  const perFrame = dataSet.items(0x52009230);
  if (shared || perFrame.length > 0) {
    // Frames that no item describes share one description: a lying frame count must not cost memory.
    const common = enhancedFrame(dataSet, shared, undefined);
    return Array.from({ length: frames }, (_, i) =>
      perFrame[i] ? enhancedFrame(dataSet, shared, perFrame[i]) : common,
    );
  }
  const own = readFrame((tag) => (dataSet.has(tag) ? dataSet : undefined), instanceTraits(dataSet));
  if (frames === 1) return [own];
  const unplaced: FrameInfo = { ...own, position: undefined };
  return doseFrames(dataSet, own, frames) ?? Array.from({ length: frames }, () => unplaced);
}

/** Finds the data set that holds an attribute of one frame. */
type Holder = (tag: number) => DataSet | undefined;

function readFrame(holder: Holder, traits: Record<string, string>): FrameInfo {
  const numbers = (tag: number, vr = 'DS') => holder(tag)?.numbers(tag, vr) ?? [];
  const slope = numbers(0x00281053)[0];
  const intercept = numbers(0x00281052)[0];
  // Dose Grid Scaling, where there is no rescale.
  const scaling = numbers(0x3004000e)[0];
  const thickness = numbers(0x00180050)[0];
  const lutHolder = holder(0x00283000);
  return {
    position: vector(numbers(0x00200032)),
    orientation: orientation(numbers(0x00200037)),
    spacing: spacing(numbers(0x00280030)) ?? spacing(numbers(0x00181164)) ?? spacing(numbers(0x00182010)),
    thickness: thickness > 0 ? thickness : undefined,
    slope: usable(slope) && slope !== 0 ? slope : usable(scaling) && scaling > 0 ? scaling : 1,
    intercept: usable(intercept) ? intercept : 0,
    lut: lutHolder && readModalityLut(lutHolder),
    windows: windows(numbers(0x00281050), numbers(0x00281051)),
    traits,
  };
}

/** Macros of the functional groups that hold what is read here. */
const macros: readonly number[] = [
  0x00209113, // Plane Position
  0x00209116, // Plane Orientation
  0x00289110, // Pixel Measures
  0x00289145, // Pixel Value Transformation
  0x00289132, // Frame VOI LUT
  0x00209111, // Frame Content
  0x00189114, // MR Echo
  0x00189117, // MR Diffusion
  0x00189226, // MR Image Frame Type
  0x00189329, // CT Image Frame Type
  0x0062000a, // Segment Identification
  0x00189118, // Cardiac Synchronization
];

function enhancedFrame(dataSet: DataSet, shared: DataSet | undefined, frame: DataSet | undefined): FrameInfo {
  const places: DataSet[] = [];
  for (const group of [frame, shared]) {
    if (!group) continue;
    for (const macro of macros) {
      const item = group.item(macro);
      if (item) places.push(item);
    }
  }
  places.push(dataSet);
  const holder: Holder = (tag) => places.find((place) => place.has(tag));
  const text = (tag: number) => holder(tag)?.strings(tag).join('\\') ?? '';
  const number = (tag: number, vr: string) => {
    const value = holder(tag)?.number(tag, vr);
    return value === undefined ? '' : String(value);
  };
  return readFrame(holder, {
    ...instanceTraits(dataSet),
    stack: text(0x00209056),
    segment: number(0x0062000b, 'US'),
    echo: number(0x00189082, 'FD'),
    temporal: number(0x00209128, 'UL'),
    diffusion: number(0x00189087, 'FD'),
    direction: holder(0x00189075)?.string(0x00189075) ?? '',
    phase: number(0x00209241, 'FL'),
    'frame type': text(0x00089007),
  });
}

/** Traits of a whole instance, in plain attributes. */
function instanceTraits(dataSet: DataSet): Record<string, string> {
  const text = (tag: number) => dataSet.strings(tag).join('\\');
  return {
    echo: text(0x00180086) || text(0x00180081),
    temporal: text(0x00200100),
    diffusion: String(dataSet.number(0x00189087, 'FD') ?? ''),
    acquisition: text(0x00200012),
    phase: text(0x00181060),
    'image type': text(0x00080008),
    'content time': text(0x00080033),
  };
}

/** RT Dose: frames at offsets along the normal (PS3.3 section C.8.8.3.2). */
function doseFrames(dataSet: DataSet, own: FrameInfo, frames: number): FrameInfo[] | undefined {
  const offsets = dataSet.numbers(0x3004000c, 'DS');
  const { position, orientation: axes } = own;
  if (offsets.length !== frames || !position || !axes || offsets.some((one) => !Number.isFinite(one)))
    return undefined;
  const normal = cross(axes.row, axes.column);
  // Offsets begin at zero, or are the z coordinates themselves where the plane is axial.
  const origin = offsets[0] === 0 ? 0 : offsets[0];
  return offsets.map((offset) => ({
    ...own,
    position: add(position, normal, offset - origin),
  }));
}

function usable(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && Math.abs(value) < 1e15;
}

function vector(values: number[]): Vector | undefined {
  if (values.length !== 3 || values.some((one) => !usable(one))) return undefined;
  return [values[0], values[1], values[2]];
}

function spacing(values: number[]): FrameInfo['spacing'] {
  const [rows, columns] = values;
  if (values.length !== 2 || !usable(rows) || !usable(columns) || rows <= 0 || columns <= 0) return undefined;
  return { rows, columns };
}

/** Unit, perpendicular axes; undefined where the six numbers are no such thing, even with a generous tolerance. */
function orientation(values: number[]): FrameInfo['orientation'] {
  const first = vector(values.slice(0, 3));
  const second = vector(values.slice(3, 6));
  if (values.length !== 6 || !first || !second) return undefined;
  const row = unit(first);
  const column = unit(second);
  if (!row || !column || Math.abs(dot(row, column)) > 0.01) return undefined;
  return { row, column };
}

function unit(v: Vector): Vector | undefined {
  const length = Math.hypot(...v);
  if (Math.abs(length - 1) > 0.05) return undefined;
  // Cosines written with few digits are made unit vectors; those within rounding stay as they are.
  if (Math.abs(length - 1) < 1e-9) return v;
  return [v[0] / length, v[1] / length, v[2] / length];
}

function windows(centers: number[], widths: number[]): Window[] {
  const out: Window[] = [];
  for (let i = 0; i < Math.min(centers.length, widths.length); i++) {
    const [center, width] = [centers[i], widths[i]];
    if (!usable(center) || !usable(width) || width <= 0) continue;
    if (!out.some((one) => one.center === center && one.width === width)) out.push({ center, width });
  }
  return out;
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** a + b * scale. */
export function add(a: Vector, b: Vector, scale = 1): Vector {
  return [a[0] + b[0] * scale, a[1] + b[1] * scale, a[2] + b[2] * scale];
}
