/** Transfer syntaxes (PS3.5 section 10, PS3.6 table A-1): what they are called and which family decodes them. */

export type PixelCoding =
  | 'native'
  | 'rle'
  | 'jpeg'
  | 'jpeg-ls'
  | 'jpeg-2000'
  | 'ht-jpeg-2000'
  | 'unsupported';

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';
export const explicitBigEndian = '1.2.840.10008.1.2.2';
export const deflatedLittleEndian = '1.2.840.10008.1.2.1.99';

interface TransferSyntax {
  name: string;
  coding: PixelCoding;
}

const known: Readonly<Record<string, TransferSyntax>> = {
  [implicitLittleEndian]: { name: 'implicit little endian', coding: 'native' },
  [explicitLittleEndian]: { name: 'explicit little endian', coding: 'native' },
  [explicitBigEndian]: { name: 'explicit big endian', coding: 'native' },
  [deflatedLittleEndian]: { name: 'deflated', coding: 'native' },
  '1.2.840.10008.1.2.1.98': { name: 'encapsulated uncompressed', coding: 'native' },
  // What GE's workstations wrote: implicit, with the pixels in big endian. Read as PS3.5 would have it.
  '1.2.840.113619.5.2': { name: 'GE private implicit', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.50': { name: 'JPEG baseline', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.51': { name: 'JPEG extended', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.57': { name: 'JPEG lossless', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.70': { name: 'JPEG lossless, first-order prediction', coding: 'jpeg' },
  '1.2.840.10008.1.2.4.80': { name: 'JPEG-LS lossless', coding: 'jpeg-ls' },
  '1.2.840.10008.1.2.4.81': { name: 'JPEG-LS near-lossless', coding: 'jpeg-ls' },
  '1.2.840.10008.1.2.4.90': { name: 'JPEG 2000 lossless', coding: 'jpeg-2000' },
  '1.2.840.10008.1.2.4.91': { name: 'JPEG 2000', coding: 'jpeg-2000' },
  '1.2.840.10008.1.2.4.92': { name: 'JPEG 2000 part 2 lossless', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.93': { name: 'JPEG 2000 part 2', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.100': { name: 'MPEG-2 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.101': { name: 'MPEG-2 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.102': { name: 'MPEG-4 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.103': { name: 'MPEG-4 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.104': { name: 'MPEG-4 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.105': { name: 'MPEG-4 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.106': { name: 'MPEG-4 video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.107': { name: 'HEVC video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.108': { name: 'HEVC video', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.110': { name: 'JPEG XL lossless', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.111': { name: 'JPEG XL recompression', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.112': { name: 'JPEG XL', coding: 'unsupported' },
  '1.2.840.10008.1.2.4.201': { name: 'high-throughput JPEG 2000 lossless', coding: 'ht-jpeg-2000' },
  '1.2.840.10008.1.2.4.202': { name: 'high-throughput JPEG 2000 lossless RPCL', coding: 'ht-jpeg-2000' },
  '1.2.840.10008.1.2.4.203': { name: 'high-throughput JPEG 2000', coding: 'ht-jpeg-2000' },
  '1.2.840.10008.1.2.5': { name: 'RLE lossless', coding: 'rle' },
};

export function transferSyntax(uid: string): TransferSyntax {
  return known[uid] ?? { name: `transfer syntax ${uid}`, coding: 'unsupported' };
}
