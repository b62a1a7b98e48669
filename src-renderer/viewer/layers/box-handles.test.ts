import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import type { Axis, Vec3 } from '../vector.ts';
import {
  alongScreen,
  cursorOf,
  dragged,
  drawnBox,
  type Grip,
  gripAt,
  handlesOf,
  inPlane,
  type PlaneView,
  setSide,
  shift,
} from './box-handles.ts';
import { type ScreenMap, toScreen } from './box-section.ts';

/** Axial, ten pixels a voxel; coronal with feet down (k upwards), five pixels a slice. */
const axial: PlaneView = { axis: 2, slice: 5, map: [10, 0, 0, 5, 0, 10, 0, 5] };
const coronal: PlaneView = { axis: 1, slice: 20, map: [10, 0, 0, 5, 0, 0, -5, 200] };
const size: Vec3 = [64, 64, 32];
const snapped = { size, snap: true };
const box: SourceBox = { min: [9.5, 14.5, 3.5], max: [19.5, 29.5, 6.5] };

test('a drag in the coronal plane moves the slices that the box begins and ends at', () => {
  const at = toScreen(coronal.map, [14, 20, 6.5]);
  const grip = gripAt(box, coronal, at) as Grip;
  expect(grip).toEqual({ 2: 'high' });
  expect(dragged(box, grip, 1, [14, 20, 6.5], [14, 20, 10.2], snapped)).toEqual({
    min: [9.5, 14.5, 3.5],
    max: [19.5, 29.5, 10.5],
  });
  expect(cursorOf(grip, coronal)).toBe('ns-resize');
});

test('corners, edges, inside and outside', () => {
  expect(gripAt(box, axial, toScreen(axial.map, [9.5, 14.5, 5]))).toEqual({ 0: 'low', 1: 'low' });
  expect(gripAt(box, axial, toScreen(axial.map, [19.5, 20, 5]))).toEqual({ 0: 'high' });
  expect(gripAt(box, axial, toScreen(axial.map, [14, 22, 5]))).toBe('move');
  expect(gripAt(box, axial, toScreen(axial.map, [22, 22, 5]))).toBeNull();
});

test('a box of one voxel can still be moved', () => {
  const small: SourceBox = { min: [9.5, 9.5, 4.5], max: [10.5, 10.5, 5.5] };
  expect(gripAt(small, axial, toScreen(axial.map, [10, 10, 5]))).toBe('move');
});

test('every handle takes hold of what it shows', () => {
  for (const view of [axial, coronal]) {
    for (const { grip, at } of handlesOf(box, view)) expect(gripAt(box, view, at)).toEqual(grip);
  }
});

test('a drawn rectangle covers the voxels under it, one slice deep, or as deep as before', () => {
  expect(drawnBox(2, 5, [10.2, 8.4, 5], [4.1, 12.6, 5], null, snapped)).toEqual({
    min: [3.5, 7.5, 4.5],
    max: [10.5, 13.5, 5.5],
  });
  expect(drawnBox(2, 5, [10.2, 8.4, 5], [4.1, 12.6, 5], box, snapped)?.max[2]).toBe(6.5);
  expect(drawnBox(2, 12, [10.2, 8.4, 12], [4.1, 12.6, 12], box, snapped)?.min[2]).toBe(11.5);
});

test('keys follow the screen, however the picture is turned', () => {
  const turned: ScreenMap = [0, -10, 0, 5, 10, 0, 0, 5];
  expect(alongScreen({ ...axial, map: turned }, [1, 0])).toEqual({ axis: 1, sign: -1 });
  expect(alongScreen(coronal, [0, -1])).toEqual({ axis: 2, sign: 1 });
});

const edge = fc.double({ min: -40, max: 110, noNaN: true });
const position = fc.tuple(edge, edge, edge);
const side = fc.constantFrom('low' as const, 'high' as const);

test('whatever is dragged where, the box stays a box inside the grid', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Axis>(0, 1, 2),
      fc.option(fc.tuple(side, side)),
      position,
      position,
      fc.boolean(),
      (axis, sides, from, to, snap) => {
        const [u, v] = inPlane(axis);
        const grip: Grip = sides ? { [u]: sides[0], [v]: sides[1] } : 'move';
        const after = dragged(box, grip, axis, from, to, { size, snap });
        for (const one of [0, 1, 2] as const) {
          expect(after.min[one]).toBeGreaterThanOrEqual(-0.5);
          expect(after.max[one]).toBeLessThanOrEqual(size[one] - 0.5);
          expect(after.max[one]).toBeGreaterThan(after.min[one]);
          if (snap) expect(after.min[one] % 1).not.toBe(0);
        }
        // The axis that is looked along is not touched.
        expect([after.min[axis], after.max[axis]]).toEqual([box.min[axis], box.max[axis]]);
      },
    ),
  );
});

test('moving keeps the size, to the last bit where voxels are whole', () => {
  const odd: SourceBox = { min: [9.3, 14.5, 3.5], max: [19.1, 29.5, 6.5] };
  const after = shift(odd, 0, 1000, snapped);
  expect(after.max[0] - after.min[0]).toBeCloseTo(9.8, 12);
  expect(after.max[0]).toBeLessThanOrEqual(63.5);
  expect(setSide(odd, 0, 'low', 100, snapped).min[0]).toBeCloseTo(18.1, 12);
});
