import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readTensors } from '../../checkpoint/testing/scratch.ts';
import { type PositionSegment, ropePositions, ropeRows } from './mrope.ts';

const file = fileURLToPath(
  new URL('../../../fixtures/reference/tensors/untied-f32-sharded.safetensors', import.meta.url),
);
const mergeSize = 2;
const imagePad = 568;

/** Token ids and grids of a fixture case as segments. */
function segmentsOf(ids: Int32Array, grids: Int32Array): PositionSegment[] {
  const segments: PositionSegment[] = [];
  let image = 0;
  for (let at = 0; at < ids.length; ) {
    if (ids[at] === imagePad) {
      const [gridHeight, gridWidth] = [grids[3 * image + 1]!, grids[3 * image + 2]!];
      segments.push({ kind: 'image', gridHeight, gridWidth });
      at += (gridHeight * gridWidth) / mergeSize ** 2;
      image++;
    } else {
      segments.push({ kind: 'text', length: 1 });
      at++;
    }
  }
  return segments;
}

describe('ropePositions', async () => {
  const tensors = await readTensors(path.dirname(file), path.basename(file));
  const ints = (name: string) => new Int32Array(tensors.get(`positions.${name}`)!.buffer);
  const cases = [...tensors.keys()].flatMap((name) => /^positions\.(.+)\.ids$/.exec(name)?.[1] ?? []);

  it.each(cases)('agrees with get_rope_index on %s', (name) => {
    const segments = segmentsOf(ints(`${name}.ids`), ints(`${name}.grids`));
    const { positions, next, length } = ropePositions(segments, 0, mergeSize);
    expect(positions).toEqual(ints(`${name}.positions`));
    // HF numbers the tokens that follow by their index plus the delta.
    expect(next).toBe(length + ints(`${name}.delta`)[0]!);
  });

  it.each(cases)('gives the same piece by piece on %s', (name) => {
    const segments = segmentsOf(ints(`${name}.ids`), ints(`${name}.grids`));
    const whole = ropePositions(segments, 0, mergeSize);
    const axes: number[][] = [[], [], []];
    let start = 0;
    for (const segment of segments) {
      const part = ropePositions([segment], start, mergeSize);
      axes.forEach((axis, i) => {
        axis.push(...part.positions.subarray(i * part.length, (i + 1) * part.length));
      });
      start = part.next;
    }
    expect([...whole.positions]).toEqual(axes.flat());
    expect(start).toBe(whole.next);
  });
});

describe('ropeRows', () => {
  it('lets each frequency follow the axis of its section', () => {
    const text = { headDim: 8, ropeTheta: 10_000, mropeSection: [1, 1, 2] as [number, number, number] };
    const { cos, sin } = ropeRows(Int32Array.of(2, 3, 5), text);
    const angles = [2, 3 * 10_000 ** -0.25, 5 * 10_000 ** -0.5, 5 * 10_000 ** -0.75];
    angles.forEach((angle, i) => {
      expect(cos[i]).toBeCloseTo(Math.cos(angle), 6);
      expect(sin[i]).toBeCloseTo(Math.sin(angle), 6);
    });
  });
});
