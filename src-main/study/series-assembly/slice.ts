/** One slice of a series to be: a frame of an instance, and where it lies. */
import { cross, dot, type FrameInfo, type Vector } from '../readers/dicom/frame-info.ts';
import type { DicomInstance } from '../readers/dicom/instance.ts';

export interface Slice {
  instance: DicomInstance;
  frame: number;
  info: FrameInfo;
}

/** A slice that has a place in the patient. */
export interface PlacedSlice extends Slice {
  position: Vector;
  /** Millimetres along the normal of the group's plane. */
  along: number;
}

/** Positions closer than this (mm) are one position: coordinates are often written with two decimals. */
export const samePlace = 0.01;

/** row x column: towards the head for an axial slice in the usual orientation. */
export function normalOf(info: FrameInfo): Vector | undefined {
  return info.orientation && cross(info.orientation.row, info.orientation.column);
}

/** Slices in order along the normal, or undefined where one of them has no place. */
export function placeSlices(slices: readonly Slice[]): PlacedSlice[] | undefined {
  const normal = slices[0] && normalOf(slices[0].info);
  if (!normal) return undefined;
  const placed: PlacedSlice[] = [];
  for (const slice of slices) {
    const { position } = slice.info;
    if (!position || !slice.info.orientation) return undefined;
    placed.push({ ...slice, position, along: dot(position, normal) });
  }
  return placed.sort((a, b) => a.along - b.along || inFileOrder(a, b));
}

/** By instance number, then frame, then name: for slices that geometry does not order. */
export function inFileOrder(a: Slice, b: Slice): number {
  const byNumber = (a.instance.instanceNumber ?? 0) - (b.instance.instanceNumber ?? 0);
  if (byNumber !== 0) return byNumber;
  if (a.instance === b.instance) return a.frame - b.frame;
  const [one, other] = [a.instance.source, b.instance.source];
  return naturally.compare(one.path + (one.member ?? ''), other.path + (other.member ?? ''));
}

const naturally = new Intl.Collator('en', { numeric: true });

export function distance(a: Vector, b: Vector): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
