/** Colour to grey where a volume has to be scalar. */

/** ITU-R 601-2 luma of interleaved 8-bit RGB, in Pillow's fixed point (`convert('L')`): a third as many bytes. */
export function lumaOfRgb(rgb: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(rgb.length / 3);
  for (let i = 0, at = 0; i < out.length; i++, at += 3) {
    out[i] = (rgb[at] * 19595 + rgb[at + 1] * 38470 + rgb[at + 2] * 7471 + 0x8000) >> 16;
  }
  return out;
}
