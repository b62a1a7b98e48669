import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Affine, type AffineChain, composeAffine, locateBox } from '../../../src-contract/geometry.ts';
import {
  type Axis,
  add,
  axes,
  column,
  cross,
  dot,
  length,
  normalise,
  scale,
  subtract,
  transform,
  type Vec3,
} from '../vector.ts';
import {
  alignment,
  boxSection,
  type IndexBox,
  planeInIndexSpace,
  screenMap,
  slicePlane,
  toScreen,
} from './box-section.ts';

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const vec = (min: number, max: number) => fc.tuple(finite(min, max), finite(min, max), finite(min, max));

/** Rotations from quaternions, spacings from 0.3 to 6, any handedness, any offset. */
const affines = fc
  .record({
    q: fc.tuple(finite(-1, 1), finite(-1, 1), finite(-1, 1), finite(-1, 1)),
    spacing: vec(0.3, 6),
    flip: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    offset: vec(-500, 500),
  })
  .filter(({ q }) => Math.hypot(...q) > 0.1)
  .map(({ q, spacing, flip, offset }): Affine => {
    const size = Math.hypot(...q);
    const [w, x, y, z] = q.map((part) => part / size);
    const rotation = [
      [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
      [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
      [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ];
    const step = spacing.map((mm, a) => (flip[a] ? -mm : mm));
    return rotation.flatMap((row, r) => [...row.map((value, c) => value * step[c]), offset[r]]);
  });

/** Boxes with edges at multiples of an eighth of a voxel, as resampled grids give. */
const boxes = fc
  .tuple(
    fc.tuple(
      fc.integer({ min: -4, max: 2000 }),
      fc.integer({ min: -4, max: 2000 }),
      fc.integer({ min: -4, max: 2000 }),
    ),
    fc.tuple(
      fc.integer({ min: 8, max: 900 }),
      fc.integer({ min: 8, max: 900 }),
      fc.integer({ min: 4, max: 900 }),
    ),
  )
  .map(([low, size]): IndexBox => {
    const min = low.map((value) => value / 8) as unknown as Vec3;
    return { min, max: min.map((value, a) => value + size[a] / 8) as unknown as Vec3 };
  });
const anyAxis = fc.constantFrom<Axis>(...axes);

/** A plane of voxel centres, made in world space as a viewport gives it, and carried back. */
function worldSlice(m: Affine, axis: Axis, at: number) {
  const u = column(m, ((axis + 1) % 3) as Axis);
  const v = column(m, ((axis + 2) % 3) as Axis);
  const normal = normalise(cross(u, v));
  const p: [number, number, number] = [0, 0, 0];
  p[axis] = at;
  return { normal, offset: dot(normal, transform(m, p)) };
}

describe('sections along voxel planes', () => {
  it('are exactly the box rectangle in world space, on oblique, flipped and anisotropic grids', () => {
    fc.assert(
      // Boxes are half a voxel deep at least: up to 0.99 of that the plane is further from the end than it may be snapped.
      fc.property(affines, boxes, anyAxis, finite(0, 0.99), (m, box, axis, fraction) => {
        const at = box.min[axis] + (box.max[axis] - box.min[axis]) * fraction;
        const section = boxSection(box, planeInIndexSpace(m, worldSlice(m, axis, at)));
        expect(section).toHaveLength(4);
        const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
        const expected = [
          [box.min[u], box.min[v]],
          [box.max[u], box.min[v]],
          [box.max[u], box.max[v]],
          [box.min[u], box.max[v]],
        ].map(([atU, atV]) => {
          const p: [number, number, number] = [at, at, at];
          p[u] = atU;
          p[v] = atV;
          return transform(m, p);
        });
        section.forEach((corner, n) => {
          // Snapping to voxel centres moves the plane by up to a thousandth of a voxel.
          expect(length(subtract(transform(m, corner), expected[n]))).toBeLessThan(6 * 1.1e-3);
        });
      }),
    );
  });

  it('are drawn on the slices whose centre lies in [min, max), and on no other', () => {
    fc.assert(
      fc.property(affines, boxes, anyAxis, fc.integer({ min: -3, max: 400 }), (m, box, axis, at) => {
        const cut = boxSection(box, planeInIndexSpace(m, worldSlice(m, axis, at))).length > 0;
        expect(cut).toBe(at >= box.min[axis] && at < box.max[axis]);
      }),
    );
  });

  it('are drawn on exactly z2 - z1 slices where grid and source have the same slices', () => {
    const chain = (m: Affine): AffineChain => ({
      sourceToPatient: [...m],
      canonicalToSource: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 31],
      gridToCanonical: [2, 0, 0, 0.5, 0, 2, 0, 0.5, 0, 0, 1, 0],
      processorToGrid: [
        256 / 252,
        0,
        0,
        0.5 * (256 / 252) - 0.5,
        0,
        256 / 252,
        0,
        0.5 * (256 / 252) - 0.5,
        0,
        0,
        1,
        0,
      ],
      sourceSize: [512, 512, 32],
      canonicalSize: [512, 512, 32],
      gridSize: [256, 256, 32],
      processorSize: [252, 252, 32],
      serialization: 'anatomical',
    });
    fc.assert(
      fc.property(
        affines,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        (m, z1, depth) => {
          const z2 = Math.min(32, z1 + depth);
          const located = locateBox(chain(m), { x1: 20, y1: 30, z1, x2: 60, y2: 90, z2 });
          const on = Array.from({ length: 32 }, (_, k) => k).filter(
            (k) => boxSection(located.sourceVoxel, slicePlane(2, k)).length > 0,
          );
          expect(on).toEqual(Array.from({ length: z2 - z1 }, (_, n) => 32 - z2 + n));
          // The section's corners are the trace's own: rectangle edges at slice height, between low and high corners.
          const { patientCorners } = located;
          const section = boxSection(located.sourceVoxel, slicePlane(2, on[0])).map((p) => transform(m, p));
          for (const corner of section) {
            const nearest = Math.min(
              ...[0, 1, 2, 3].map((bits) => {
                const low = patientCorners?.[bits] ?? [0, 0, 0];
                const high = patientCorners?.[bits | 4] ?? [0, 0, 0];
                const along = normalise(subtract(high, low));
                const offset = subtract(corner, low);
                return length(subtract(offset, scale(along, dot(offset, along))));
              }),
            );
            expect(nearest).toBeLessThan(1e-6);
          }
        },
      ),
    );
  });
});

describe('oblique sections', () => {
  const planes = fc
    .record({ normal: vec(-1, 1), through: vec(0, 1) })
    .filter(({ normal }) => Math.hypot(...normal) > 0.1);

  it('lie on the plane and on the box, and are convex', () => {
    fc.assert(
      fc.property(boxes, planes, (box, { normal, through }) => {
        const inside = box.min.map((low, a) => low + (box.max[a] - low) * through[a]) as unknown as Vec3;
        const plane = { normal, offset: dot(normal, inside) };
        if (alignment(plane)) return;
        const section = boxSection(box, plane);
        const size = Math.max(1, ...box.max.map(Math.abs));
        for (const p of section) {
          expect(Math.abs(dot(normal, p) - plane.offset)).toBeLessThan(1e-9 * size * 10);
          for (const a of axes) {
            expect(p[a]).toBeGreaterThanOrEqual(box.min[a] - 1e-9 * size);
            expect(p[a]).toBeLessThanOrEqual(box.max[a] + 1e-9 * size);
          }
        }
        const turns = section.map((p, n) => {
          const q = section[(n + 1) % section.length];
          const r = section[(n + 2) % section.length];
          return dot(normal, cross(subtract(q, p), subtract(r, q)));
        });
        const tiny = 1e-6 * size * size;
        expect(turns.every((turn) => turn > -tiny) || turns.every((turn) => turn < tiny)).toBe(true);
      }),
    );
  });

  it('hold a point of the plane exactly when the box does', () => {
    fc.assert(
      fc.property(
        boxes,
        planes,
        fc.tuple(finite(-0.2, 1.2), finite(-0.2, 1.2)),
        (box, { normal, through }, [s, t]) => {
          const at = (f: readonly number[]) =>
            box.min.map((low, a) => low + (box.max[a] - low) * f[a]) as unknown as Vec3;
          const centre = at(through);
          const plane = { normal, offset: dot(normal, centre) };
          if (alignment(plane)) return;
          // A point somewhere on the plane near the box.
          const n = normalise(normal);
          const u = normalise(cross(n, Math.abs(n[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]));
          const v = cross(n, u);
          const reach = length(subtract(box.max, box.min));
          const p = add(centre, add(scale(u, (s - 0.5) * reach), scale(v, (t - 0.5) * reach)));
          const margin = Math.min(...axes.flatMap((a) => [p[a] - box.min[a], box.max[a] - p[a]]));
          if (Math.abs(margin) < 1e-6 * reach) return;
          const section = boxSection(box, plane);
          // How far the point lies on the inner side of each edge. Edges of no length have no side.
          const sides = section.flatMap((q, i) => {
            const edge = subtract(section[(i + 1) % section.length], q);
            const span = length(edge);
            return span < 1e-9 * reach ? [] : [dot(n, cross(edge, subtract(p, q))) / span];
          });
          const tiny = 1e-10 * reach;
          const inPolygon =
            sides.length >= 3 && (sides.every((side) => side > -tiny) || sides.every((side) => side < tiny));
          expect(inPolygon).toBe(margin > 0);
        },
      ),
    );
  });

  it('miss a box that lies on one side', () => {
    expect(boxSection({ min: [0, 0, 0], max: [4, 4, 4] }, { normal: [1, 1, 1], offset: 13 })).toEqual([]);
    expect(boxSection({ min: [0, 0, 0], max: [4, 4, 4] }, { normal: [1, 1, 1], offset: 6 })).toHaveLength(6);
  });
});

describe('screen map', () => {
  it('puts every voxel where the viewport does', () => {
    fc.assert(
      fc.property(affines, vec(-100, 300), vec(-2, 2), vec(-2, 2), (m, p, right, down) => {
        const canvas = (world: Vec3) => [dot(world, right) + 300, dot(world, down) - 40] as const;
        const [x, y] = toScreen(screenMap(m, canvas), p);
        const [expectedX, expectedY] = canvas(transform(m, p));
        expect(Math.hypot(x - expectedX, y - expectedY)).toBeLessThan(1e-6);
      }),
    );
    const twice = composeAffine([2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1], [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1]);
    expect(twice[3]).toBe(3);
  });
});
