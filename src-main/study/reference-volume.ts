/** nibabel's `get_fdata()` as float32, in C order. */
import { type NiftiArray, niftiRescale } from './readers/nifti.ts';

/**
 * nibabel rescales in float64 and the reference then rounds to float32: so it is done here. The file has its first axis
 * fastest; the result has its last axis fastest.
 */
export function toFloat32Volume(array: NiftiArray): { shape: number[]; data: Float32Array } {
  const { slope, intercept } = niftiRescale(array.header);
  const { data: stored, shape } = array;
  const out = new Float32Array(stored.length);
  // Axes beyond the third are treated as one long last axis: nested loops over four axes cover every file.
  const [nx = 1, ny = 1, nz = 1] = shape;
  const nt = stored.length / (nx * ny * nz);
  let to = 0;
  // For axes (x, y, z, t…) the strides of t… in C order still have to be walked one by one when there are several.
  const tail = tailOrder(shape.slice(3));
  for (let x = 0; x < nx; x++) {
    for (let y = 0; y < ny; y++) {
      for (let z = 0; z < nz; z++) {
        const at = (z * ny + y) * nx + x;
        for (let t = 0; t < nt; t++) out[to++] = stored[at + tail[t] * nx * ny * nz] * slope + intercept;
      }
    }
  }
  return { shape: [...shape], data: out };
}

/** For each place of the axes beyond the third in C order, its place in the file. */
function tailOrder(shape: readonly number[]): number[] {
  let order = [0];
  let stride = 1;
  const strides = shape.map((length) => {
    const current = stride;
    stride *= length;
    return current;
  });
  for (const [axis, length] of shape.entries()) {
    order = order.flatMap((base) => Array.from({ length }, (_, i) => base + i * strides[axis]));
  }
  return order;
}
