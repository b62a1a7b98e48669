/**
 * The 8x8 inverse cosine transform (ITU-T T.81 section A.3.3) by the factorisation of Loeffler, Ligtenberg and
 * Moschytz (ICASSP 1989), in fixed point: constants of 9 bits, results in sixteenths, rows before columns.
 *
 * T.81 leaves the rounding open. This is the one of the decoder that pydicom uses for 12-bit frames (libjpeg by way of
 * pylibjpeg), found by trying precisions against its output, so that both give the same pixels to the last bit.
 */

const one = 512;
const fixed = (value: number) => Math.round(value * one);

// Sums and differences of cos(k pi / 16) * sqrt(2), as the factorisation has them.
const c6 = fixed(0.541196100146197);
const c2PlusC6 = fixed(1.847759065022573);
const c2MinusC6 = fixed(0.765366864730179);
const c3 = fixed(1.175875602419359);
const odd7 = fixed(0.298631336061103);
const odd5 = fixed(2.053119869328211);
const odd3 = fixed(3.072711026434814);
const odd1 = fixed(1.501321110449182);
const mix17 = fixed(0.899976223136416);
const mix35 = fixed(2.562915447741506);
const mix37 = fixed(1.961570560806461);
const mix15 = fixed(0.390180644032257);

/** Fraction bits of the result are removed by the caller: `block` comes back in sixteenths of a grey level. */
export const sixteenths = 16;

/** In place; `block` holds dequantised coefficients in row order, as whole numbers. */
export function inverseTransform(block: Float64Array): void {
  for (let i = 0; i < 64; i++) block[i] *= sixteenths;
  for (let row = 0; row < 64; row += 8) onePass(block, row, 1, one);
  for (let column = 0; column < 8; column++) onePass(block, column, 8, one * 8);
}

/** Eight values `step` apart from `at` on; the sums are divided by `scale` and rounded. */
function onePass(block: Float64Array, at: number, step: number, scale: number): void {
  const v2 = block[at + 2 * step];
  const v6 = block[at + 6 * step];
  const even = (v2 + v6) * c6;
  const even2 = even - v6 * c2PlusC6;
  const even3 = even + v2 * c2MinusC6;
  const sum = (block[at] + block[at + 4 * step]) * one;
  const difference = (block[at] - block[at + 4 * step]) * one;

  const v7 = block[at + 7 * step];
  const v5 = block[at + 5 * step];
  const v3 = block[at + 3 * step];
  const v1 = block[at + step];
  const shared = (v7 + v3 + v5 + v1) * c3;
  const by17 = (v7 + v1) * -mix17;
  const by35 = (v5 + v3) * -mix35;
  const by37 = (v7 + v3) * -mix37 + shared;
  const by15 = (v5 + v1) * -mix15 + shared;
  const o7 = v7 * odd7 + by17 + by37;
  const o5 = v5 * odd5 + by35 + by15;
  const o3 = v3 * odd3 + by35 + by37;
  const o1 = v1 * odd1 + by17 + by15;

  block[at] = round(sum + even3 + o1, scale);
  block[at + 7 * step] = round(sum + even3 - o1, scale);
  block[at + step] = round(difference + even2 + o3, scale);
  block[at + 6 * step] = round(difference + even2 - o3, scale);
  block[at + 2 * step] = round(difference - even2 + o5, scale);
  block[at + 5 * step] = round(difference - even2 - o5, scale);
  block[at + 3 * step] = round(sum - even3 + o7, scale);
  block[at + 4 * step] = round(sum - even3 - o7, scale);
}

function round(value: number, scale: number): number {
  return Math.floor(value / scale + 0.5);
}
