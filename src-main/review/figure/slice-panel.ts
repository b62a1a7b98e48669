/** One slice with what the 2D run and the volume run drew on it. */
import { encode } from 'fast-png';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import { edgeLetters, pixelSize } from './orientation-letters.ts';
import { points, type Shape, type Stroke } from './scene.ts';
import { textWidth } from './text-lines.ts';

/** As the paper has them: 2D predictions green, the cuboid's projection red; dashed too, for eyes that see no difference. */
export const twoDColour = '#22c55e';
export const cuboidColour = '#ef4444';
export const twoDStroke: Stroke = { colour: twoDColour, width: 0.5 };
export const cuboidStroke: Stroke = { colour: cuboidColour, width: 0.5, dash: [1.6, 0.9] };

/** Whole pixels of a slice. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SlicePanel {
  /** As the model got the slice, before its own resize. */
  readonly picture: ImagePixels;
  /** The part of it that is shown. */
  readonly region: Region;
  /** Pixels of the picture to LPS millimetres. */
  readonly pictureToPatient: readonly number[] | null;
  /** Of the 2D run on this slice; both boxes in pixels of the picture. */
  readonly twoD: SourceBox | null;
  /** The cuboid's section in this slice. */
  readonly cuboid: SourceBox | null;
  readonly iou: number | null;
}

interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The largest frame of the slice's own proportions (in millimetres where they are known), in the middle of the room. */
export function fitPicture({ region, pictureToPatient }: SlicePanel, room: Frame): Frame {
  const [across, down] = pixelSize(pictureToPatient) ?? [1, 1];
  const [width, height] = [region.width * across, region.height * down];
  const scale = Math.min(room.width / width, room.height / height);
  const fitted = { width: width * scale, height: height * scale };
  return {
    ...fitted,
    x: room.x + (room.width - fitted.width) / 2,
    y: room.y + (room.height - fitted.height) / 2,
  };
}

/** Picture and boxes. `thin` for small pictures: no letters, no scale. */
export function slicePanel(panel: SlicePanel, frame: Frame, thin = false): Shape[] {
  const { picture, region, twoD, cuboid } = panel;
  const shapes: Shape[] = [{ kind: 'image', ...frame, png: cut(picture, region) }];
  const boxes = [
    [cuboid, cuboidStroke],
    [twoD, twoDStroke],
  ] as const;
  for (const [box, stroke] of boxes) {
    if (!box) continue;
    // Edges in voxel index coordinates: the left edge of column x is at x - 0.5.
    const left = frame.x + ((box.min[0] + 0.5 - region.x) / region.width) * frame.width;
    const top = frame.y + ((box.min[1] + 0.5 - region.y) / region.height) * frame.height;
    shapes.push({
      kind: 'rect',
      x: left,
      y: top,
      width: ((box.max[0] - box.min[0]) / region.width) * frame.width,
      height: ((box.max[1] - box.min[1]) / region.height) * frame.height,
      stroke: thin ? { ...stroke, width: 0.35 } : stroke,
    });
  }
  if (!thin) shapes.push(...letters(panel, frame), ...scaleBar(panel, frame));
  return shapes;
}

function cut({ width, channels, data }: ImagePixels, region: Region): Uint8Array {
  const rows = Array.from({ length: region.height }, (_, row) => {
    const start = ((region.y + row) * width + region.x) * channels;
    return data.subarray(start, start + region.width * channels);
  });
  return encode({
    width: region.width,
    height: region.height,
    channels,
    depth: 8,
    data: new Uint8Array(Buffer.concat(rows)),
  });
}

const wholePicture = ({ width, height }: ImagePixels): Region => ({ x: 0, y: 0, width, height });

/**
 * What the small pictures show: a square (in pixels) around all boxes, twice their size and at least a third of the
 * picture, so that a small lesion can be seen.
 */
export function regionAround(boxes: readonly SourceBox[], picture: ImagePixels): Region {
  if (boxes.length === 0) return wholePicture(picture);
  const low = [0, 1].map((axis) => Math.min(...boxes.map(({ min }) => min[axis])));
  const high = [0, 1].map((axis) => Math.max(...boxes.map(({ max }) => max[axis])));
  const largest = Math.max(high[0] - low[0], high[1] - low[1]);
  const side = Math.max(2 * largest, Math.max(picture.width, picture.height) / 3);
  const along = (axis: 0 | 1, length: number): [number, number] => {
    const extent = Math.min(length, Math.ceil(side));
    const start = Math.round((low[axis] + high[axis] + 1 - extent) / 2);
    return [Math.max(0, Math.min(length - extent, start)), extent];
  };
  const [[x, width], [y, height]] = [along(0, picture.width), along(1, picture.height)];
  return { x, y, width, height };
}

/** White on dark: readable on any picture. */
function tag(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end', size: number): Shape[] {
  const width = textWidth(text, size) + size * 0.6;
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return [
    { kind: 'rect', x: left, y: y - size * 0.95, width, height: size * 1.3, fill: '#000000', opacity: 0.6 },
    { kind: 'text', x: left + width / 2, y, text, size, bold: true, fill: '#ffffff', anchor: 'middle' },
  ];
}

function letters({ pictureToPatient }: SlicePanel, frame: Frame): Shape[] {
  const edges = edgeLetters(pictureToPatient);
  if (!edges) return [];
  const size = points(8);
  const [middleX, middleY] = [frame.x + frame.width / 2, frame.y + frame.height / 2 + size * 0.35];
  return [
    ...tag(edges.left, frame.x + 0.8, middleY, 'start', size),
    ...tag(edges.right, frame.x + frame.width - 0.8, middleY, 'end', size),
    ...tag(edges.top, middleX, frame.y + size * 1.2, 'middle', size),
    ...tag(edges.bottom, middleX, frame.y + frame.height - size * 0.6, 'middle', size),
  ];
}

const scaleLengths = [200, 100, 50, 20, 10, 5, 2, 1] as const;

/** The longest round length of at most a third of the picture. */
function scaleBar({ region, pictureToPatient }: SlicePanel, frame: Frame): Shape[] {
  const size = pixelSize(pictureToPatient);
  if (!size) return [];
  const perMillimetre = frame.width / (region.width * size[0]);
  const length = scaleLengths.find((each) => each * perMillimetre <= frame.width / 3);
  if (length === undefined) return [];
  const width = length * perMillimetre;
  const [x, y] = [frame.x + 2.5, frame.y + frame.height - 2.5];
  return [
    {
      kind: 'rect',
      x: x - 1,
      y: y - 4.4,
      width: Math.max(width, textWidth(`${length} mm`, points(7))) + 2,
      height: 5.9,
      fill: '#000000',
      opacity: 0.6,
    },
    { kind: 'rect', x, y: y - 0.5, width, height: 0.9, fill: '#ffffff' },
    { kind: 'text', x, y: y - 1.4, text: `${length} mm`, size: points(7), bold: true, fill: '#ffffff' },
  ];
}

/** The IoU, as large as the picture allows. */
export const iouTag = (iou: number | null, frame: Frame, size: number): Shape[] =>
  iou === null ? [] : tag(`IoU ${iou.toFixed(2)}`, frame.x + 0.8, frame.y + size * 1.25, 'start', size);
