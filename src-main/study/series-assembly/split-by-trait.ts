/**
 * Several slices at one position: echoes, time points, b-values, phases, segments. They become series of their own,
 * told apart by the attribute that does it.
 */
import { distance, inFileOrder, type PlacedSlice, samePlace } from './slice.ts';

export interface Part {
  slices: PlacedSlice[];
  /** 'echo 2', to be added to the description; '' where there is nothing to tell apart. */
  label: string;
  warnings: string[];
}

/** Attributes in the order in which they are tried. */
const order = [
  'stack',
  'segment',
  'echo',
  'temporal',
  'diffusion',
  'direction',
  'phase',
  'acquisition',
  'frame type',
  'image type',
];

/** `slices` in order along the normal. */
export function splitOverlaps(slices: PlacedSlice[]): Part[] {
  const places = countPlaces(slices);
  if (places.most === 1) return [{ slices, label: '', warnings: [] }];
  let names: string[] = [];
  for (const name of order) {
    const more = [...names, name];
    const groups = groupBy(slices, more);
    const before = groupBy(slices, names);
    if (groups.size === before.size) continue;
    // An attribute of its own for every slice (a time, say) tells nothing about which slices belong together.
    if (groups.size > 2 * places.most && places.count > 1) continue;
    if (collisions(groups) < collisions(before)) names = more;
    if (collisions(groups) === 0) break;
  }
  // Attributes that proved needless once later ones were added make two series out of one.
  for (const name of [...names]) {
    const fewer = names.filter((one) => one !== name);
    if (collisions(groupBy(slices, fewer)) <= collisions(groupBy(slices, names))) names = fewer;
  }
  const parts: Part[] = [];
  for (const members of groupBy(slices, names).values()) {
    const label = names.map((name) => labelOf(name, members[0].info.traits[name])).join(', ');
    const layers = layersOf(members);
    layers.forEach((layer, index) => {
      if (layers.length === 1) parts.push({ slices: layer, label, warnings: [] });
      else {
        const which = `${index + 1} of ${layers.length} at the same positions`;
        parts.push({
          slices: layer,
          label: label ? `${label}, ${which}` : which,
          warnings: [
            'Several slices lie at one position and no attribute tells them apart: taken in order of their numbers.',
          ],
        });
      }
    });
  }
  return parts;
}

/** The attributes that divide `slices`, each with its parts: for stacks that are uneven as a whole. */
export function partitions(slices: PlacedSlice[]): Part[][] {
  const out: Part[][] = [];
  for (const name of order) {
    const groups = [...groupBy(slices, [name])];
    if (groups.length < 2 || groups.some(([, members]) => members.length < 2)) continue;
    out.push(
      groups.map(([, members]) => ({
        slices: members,
        label: labelOf(name, members[0].info.traits[name]),
        warnings: [],
      })),
    );
  }
  return out;
}

function labelOf(name: string, value: string | undefined): string {
  return `${name} ${value ? value.replaceAll('\\', ' ') : 'unset'}`;
}

function groupBy(slices: readonly PlacedSlice[], names: readonly string[]): Map<string, PlacedSlice[]> {
  const groups = new Map<string, PlacedSlice[]>();
  for (const slice of slices) {
    const key = JSON.stringify(names.map((name) => slice.info.traits[name] ?? ''));
    const members = groups.get(key);
    if (members) members.push(slice);
    else groups.set(key, [slice]);
  }
  return groups;
}

/** Slices beyond the first at their position, over all groups. */
function collisions(groups: Map<string, PlacedSlice[]>): number {
  let total = 0;
  for (const members of groups.values()) total += members.length - countPlaces(members).count;
  return total;
}

function countPlaces(slices: readonly PlacedSlice[]): { count: number; most: number } {
  let count = 0;
  let most = 0;
  for (const place of placesOf(slices)) {
    count++;
    most = Math.max(most, place.length);
  }
  return { count, most };
}

/** Runs of slices at one position; `slices` in order along the normal. */
function placesOf(slices: readonly PlacedSlice[]): PlacedSlice[][] {
  const places: PlacedSlice[][] = [];
  for (const slice of slices) {
    const last = places[places.length - 1];
    if (last && distance(last[0].position, slice.position) < samePlace) last.push(slice);
    else places.push([slice]);
  }
  return places;
}

/** The first of each position, the second of each… */
function layersOf(slices: readonly PlacedSlice[]): PlacedSlice[][] {
  const layers: PlacedSlice[][] = [];
  for (const place of placesOf(slices)) {
    [...place].sort(inFileOrder).forEach((slice, index) => {
      layers[index] ??= [];
      layers[index].push(slice);
    });
  }
  return layers;
}
