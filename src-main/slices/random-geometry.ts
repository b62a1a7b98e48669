/** Geometry for property tests: volumes as scanners and converters store them, and their chains. */
import fc from 'fast-check';
import { axialOrientation, buildChain, type Triple, withProcessor } from './affine-chain.ts';

type Matrix = readonly [number[], number[], number[]];

function rotation(axis: number, angle: number): Matrix {
  const [a, b] = [0, 1, 2].filter((other) => other !== axis);
  const rows: number[][] = [0, 1, 2].map((r) => [0, 1, 2].map((c) => (r === c ? 1 : 0)));
  rows[a][a] = rows[b][b] = Math.cos(angle);
  rows[a][b] = -Math.sin(angle);
  rows[b][a] = Math.sin(angle);
  return [rows[0], rows[1], rows[2]];
}

function multiply(p: Matrix, q: Matrix): Matrix {
  const cell = (r: number, c: number) => p[r][0] * q[0][c] + p[r][1] * q[1][c] + p[r][2] * q[2][c];
  const row = (r: number) => [cell(r, 0), cell(r, 1), cell(r, 2)];
  return [row(0), row(1), row(2)];
}

/** Rotated, flipped, with unequal spacing and a far origin: what scanners and converters produce. */
export const geometry = fc
  .record({
    angles: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -Math.PI, max: Math.PI, noNaN: true }))),
    spacing: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.05, max: 12, noNaN: true }))),
    signs: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(-1, 1))),
    origin: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -2000, max: 2000, noNaN: true }))),
    size: fc.tuple(
      fc.integer({ min: 1, max: 900 }),
      fc.integer({ min: 1, max: 900 }),
      fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 900 })),
    ),
  })
  .map(({ angles, spacing, signs, origin, size }) => {
    const turn = multiply(multiply(rotation(0, angles[0]), rotation(1, angles[1])), rotation(2, angles[2]));
    const affine = turn.flatMap((row, r) => [
      ...row.map((value, c) => value * spacing[c] * signs[c]),
      origin[r],
    ]);
    return { affine, size: [size[0], size[1], size[2]] satisfies Triple };
  });

export const processorSide = fc.integer({ min: 1, max: 60 }).map((n) => 28 * n);
export const unit = fc.double({ min: 0, max: 1, noNaN: true });

/** The chain of a volume serialised anatomically, with the model's own resize. */
export function chainOf(affine: number[] | null, size: Triple, width: number, height: number) {
  const chain = buildChain({
    sourceToPatient: affine,
    sourceSize: size,
    orientation: axialOrientation(affine),
    gridSize: [256, 256, 32],
    serialization: 'anatomical',
  });
  return withProcessor(chain, width, height);
}
