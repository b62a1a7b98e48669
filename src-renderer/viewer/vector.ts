/** Triples, and the few operations the viewer needs. */
import type { Affine } from '../../src-contract/geometry.ts';

export type Vec3 = readonly [number, number, number];
export type Vec2 = readonly [number, number];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
/** @returns the null vector for a null vector */
export function normalise(a: Vec3): Vec3 {
  const size = length(a);
  return size === 0 ? [0, 0, 0] : scale(a, 1 / size);
}

/** A triple in hand instead of a branded point: the viewer's world is either patient space or a bare pixel frame. */
export function transform(m: Affine, p: Vec3): Vec3 {
  return [
    m[0] * p[0] + m[1] * p[1] + m[2] * p[2] + m[3],
    m[4] * p[0] + m[5] * p[1] + m[6] * p[2] + m[7],
    m[8] * p[0] + m[9] * p[1] + m[10] * p[2] + m[11],
  ];
}

/** Column c of an affine's linear part: what one step along that axis means. */
export const column = (m: Affine, c: 0 | 1 | 2): Vec3 => [m[c], m[4 + c], m[8 + c]];

export type Axis = 0 | 1 | 2;
export const axes: readonly Axis[] = [0, 1, 2];
