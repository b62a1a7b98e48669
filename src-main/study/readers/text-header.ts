/** Helpers for the headers of MetaImage and NRRD, which are lines of ASCII before the data. */
import { malformed } from '../reader.ts';

/** No real header of these formats is longer; beyond it the file is something else. */
export const maxHeaderBytes = 1024 * 1024;

/** One line without its end, and the offset of the next one; undefined when there is no whole line. */
export function readLine(bytes: Uint8Array, at: number): { line: string; next: number } | undefined {
  const newline = bytes.subarray(0, maxHeaderBytes).indexOf(10, at);
  if (newline < 0) return undefined;
  const end = newline > at && bytes[newline - 1] === 13 ? newline - 1 : newline;
  return { line: Buffer.from(bytes.subarray(at, end)).toString('utf8'), next: newline + 1 };
}

/** Numbers separated by blanks; throws 'file-malformed' naming the field when one is none. */
export function numbers(text: string, field: string, name: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      const value = Number(word);
      if (Number.isNaN(value) && word.toLowerCase() !== 'nan') {
        throw malformed(name, `the field '${field}' of its header holds '${word.slice(0, 40)}', no number`);
      }
      return value;
    });
}

/** True when a data file named in a header stays inside the header's own folder. */
export function staysInFolder(relative: string): boolean {
  if (relative === '' || /^([a-z]:|[\\/])/i.test(relative)) return false;
  return !relative.split(/[\\/]/).includes('..');
}
