/** float16 and bfloat16 to and from float32. Node 20 has no Float16Array, so the bits are worked on directly. */

const view = new DataView(new ArrayBuffer(4));

/** Bits of the float16 nearest to `value` (ties to even). Too large becomes infinity, as IEEE 754 says. */
export function toFloat16Bits(value: number): number {
  view.setFloat32(0, value);
  return float16FromFloat32Bits(view.getUint32(0));
}

function float16FromFloat32Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude >= 0x7f80_0000) return sign | (magnitude > 0x7f80_0000 ? 0x7e00 : 0x7c00);
  // 65520 and above round to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  if (magnitude >= 0x3880_0000) {
    // Normal: re-bias the exponent, round the 13 dropped bits; a carry into the exponent is right.
    const half = magnitude - 0x3800_0000;
    return sign | ((half + 0xfff + ((half >>> 13) & 1)) >>> 13);
  }
  // Subnormal float16: count units of 2^-24.
  const exponent = magnitude >>> 23;
  if (exponent < 102) return sign;
  const mantissa = (magnitude & 0x7f_ffff) | 0x80_0000;
  const shift = 126 - exponent;
  const kept = mantissa >>> shift;
  const dropped = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (kept + (dropped > tie || (dropped === tie && (kept & 1) === 1) ? 1 : 0));
}

/** The value that float16 bits stand for. */
export function fromFloat16Bits(bits: number): number {
  return float16Values()[bits]!;
}

let table: Float32Array | null = null;

/** All 65,536 values: a look-up beats arithmetic when whole tensors go through. */
function float16Values(): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >>> 10) & 31;
    const mantissa = bits & 0x3ff;
    if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * mantissa * 2 ** -24;
    return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
  });
  return table;
}

/** A float32 array as float16 bits. */
export function toFloat16Array(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = float16FromFloat32Bits(bits[i]!);
  return out;
}

/** float16 bits as a float32 array. */
export function fromFloat16Array(bits: Uint16Array): Float32Array {
  const values = float16Values();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = values[bits[i]!]!;
  return out;
}

/** bfloat16 bits (the upper half of a float32) as a float32 array. */
export function fromBfloat16Array(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}
