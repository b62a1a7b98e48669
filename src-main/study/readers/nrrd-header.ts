/** The header of an NRRD file: fields, key/value pairs, comments, and what its axes mean. */
import { type DecodedImage, malformed, unsupported } from '../reader.ts';
import { numbers, readLine } from './text-header.ts';
import { columnLengths, flipRasLps, isUsableAffine, usableSpacing } from './volume-geometry.ts';

export interface NrrdHeader {
  /** 'field: value', names in lower case. */
  fields: Map<string, string>;
  /** 'key:=value'. */
  keys: Map<string, string>;
  comments: string[];
  /** Where attached data begin. */
  end: number;
}

export interface NrrdAxes {
  columns: number;
  rows: number;
  frames: number;
  channels: 1 | 3;
  /** Index of the first spatial axis in the file's list of axes. */
  first: number;
  /** Number of spatial axes: 2 or 3. */
  spatial: number;
  /** Direction of each spatial axis, in the space of the file; null where the header has none. */
  directions: number[][] | null;
}

export function parseNrrdHeader(bytes: Uint8Array, name: string): NrrdHeader {
  const fields = new Map<string, string>();
  const keys = new Map<string, string>();
  const comments: string[] = [];
  const first = readLine(bytes, 0);
  if (!first || !/^NRRD000\d/.test(first.line)) throw malformed(name, "it does not begin with 'NRRD000'");
  let at = first.next;
  for (let read = readLine(bytes, at); read; read = readLine(bytes, at)) {
    at = read.next;
    const { line } = read;
    if (line === '') return { fields, keys, comments, end: at };
    if (line.startsWith('#')) {
      comments.push(line.slice(1).trim());
      continue;
    }
    const pair = /^([^:]*?):=(.*)$/.exec(line);
    if (pair) {
      keys.set(pair[1], pair[2]);
      continue;
    }
    const colon = line.indexOf(': ');
    if (colon < 0) throw malformed(name, `the line '${line.slice(0, 60)}' of its header is no field`);
    fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 2).trim());
  }
  // A detached header needs no blank line at its end.
  if (fields.has('data file') || fields.has('datafile'))
    return { fields, keys, comments, end: bytes.byteLength };
  throw malformed(name, 'its NRRD header has no end (a blank line)');
}

const colourKinds = ['rgb-color', 'xyz-color', 'hsv-color', '3-color'];

/** Which axes are columns, rows, slices and colour. */
export function nrrdAxes(header: NrrdHeader, name: string, warnings: string[]): NrrdAxes {
  const dimension = Number(header.fields.get('dimension'));
  const sizes = numbers(header.fields.get('sizes') ?? '', 'sizes', name);
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > 16 || sizes.length !== dimension) {
    throw malformed(
      name,
      `its header gives ${sizes.length} sizes for ${header.fields.get('dimension')} axes`,
    );
  }
  const kinds = (header.fields.get('kinds') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const directions = parseDirections(header, dimension, name);
  const isSpatial = sizes.map((_, axis) => {
    if (directions) return directions[axis] !== null;
    return (
      kinds.length !== dimension ||
      kinds[axis] === 'domain' ||
      kinds[axis] === 'space' ||
      kinds[axis] === '???'
    );
  });
  // Without directions and kinds: a leading axis of 3 before two or three others can only be guessed; leave it spatial.
  const first = isSpatial.indexOf(true);
  const last = isSpatial.lastIndexOf(true);
  if (first < 0 || isSpatial.slice(first, last + 1).includes(false)) {
    throw unsupported(
      name,
      'its spatial axes do not lie side by side',
      'Reorder its axes (unu permute) first.',
    );
  }
  const components = sizes.slice(0, first).reduce((product, size) => product * size, 1);
  if (components !== 1 && components !== 3) {
    throw unsupported(name, `it stores ${components} values a voxel`, 'Extract one component first.');
  }
  if (components === 3 && kinds[0] !== undefined && !colourKinds.includes(kinds[0]) && kinds[0] !== 'list') {
    warnings.push(`Its three values a voxel (${kinds[0]}) are shown as red, green and blue.`);
  }
  const spatial = Math.min(3, last - first + 1);
  const further = sizes.slice(first + spatial).reduce((product, size) => product * size, 1);
  if (further > 1) warnings.push(`The file holds ${further} volumes; the first one is shown.`);
  if (spatial < 2) throw unsupported(name, 'it has one axis only', 'Open an image of two or more axes.');
  return {
    columns: sizes[first],
    rows: sizes[first + 1],
    frames: spatial > 2 ? sizes[first + 2] : 1,
    channels: components === 3 ? 3 : 1,
    first,
    spatial,
    directions: directions ? directions.slice(first, first + spatial).map((d) => d ?? []) : null,
  };
}

/** One vector or null ('none') an axis; null when the header has no such field. */
function parseDirections(header: NrrdHeader, dimension: number, name: string): (number[] | null)[] | null {
  const text = header.fields.get('space directions');
  if (text === undefined) return null;
  const parts = text.match(/\([^)]*\)|none/gi) ?? [];
  if (parts.length !== dimension) {
    throw malformed(name, `it has ${parts.length} space directions for ${dimension} axes`);
  }
  return parts.map((part) => {
    if (part.toLowerCase() === 'none') return null;
    const vector = parseVector(part, 'space directions', name);
    // Some writers give a non-spatial axis NaN components instead of 'none'.
    return vector.every((v) => Number.isFinite(v)) ? vector : null;
  });
}

function parseVector(text: string, field: string, name: string): number[] {
  return numbers(text.replace(/[(),]/g, ' '), field, name);
}

/** Sign of each axis of the file's space, towards LPS; null for spaces that are no patient space. */
function spaceSigns(space: string): [number, number] | null {
  const plain = space
    .toLowerCase()
    .replace(/-time$/, '')
    .replace(/t$/, '');
  if (plain === 'left-posterior-superior' || plain === 'lps') return [1, 1];
  if (plain === 'right-anterior-superior' || plain === 'ras') return [-1, -1];
  if (plain === 'left-anterior-superior' || plain === 'las') return [1, -1];
  return null;
}

export function nrrdGeometry(
  header: NrrdHeader,
  axes: NrrdAxes,
  name: string,
  warnings: string[],
): Pick<DecodedImage, 'spacing' | 'sourceToPatient'> {
  const spacings = header.fields.get('spacings');
  const plain = spacings
    ? numbers(spacings, 'spacings', name).slice(axes.first, axes.first + axes.spatial)
    : (axes.directions ?? []).map((direction) => Math.hypot(...direction));
  if (axes.spatial === 2 && plain.length === 2) plain.push(1);
  const signs = spaceSigns(header.fields.get('space') ?? '');
  const { directions } = axes;
  if (!signs || !directions || axes.spatial < 3 || directions.some((d) => d.length < 3)) {
    if (axes.spatial > 2) warnings.push('The file states no patient space: its sides are unknown.');
    return { spacing: usableSpacing(plain), sourceToPatient: null };
  }
  const originText = header.fields.get('space origin');
  const origin = originText ? parseVector(originText, 'space origin', name) : [0, 0, 0];
  if (!originText) warnings.push('The file states no origin: it is placed at 0, 0, 0.');
  if (origin.length < 3) throw malformed(name, `its space origin has ${origin.length} numbers`);
  const inSpace = [0, 1, 2].flatMap((r) => [...directions.map((d) => d[r]), origin[r]]);
  const lps = toLps(inSpace, signs);
  if (!isUsableAffine(lps)) {
    warnings.push(
      'The orientation in its header is not usable (singular or not finite): its sides are unknown.',
    );
    return { spacing: usableSpacing(plain), sourceToPatient: null };
  }
  return { spacing: columnLengths(lps), sourceToPatient: lps };
}

function toLps(affine: number[], [x, y]: [number, number]): number[] {
  if (x < 0 && y < 0) return flipRasLps(affine);
  return affine.map((value, index) => (index >= 4 && index < 8 && y < 0 ? 0 - value : value));
}
