/**
 * The paper's figure for one case: slice-wise 2D predictions (green) against the projection of the 3D cuboid within its
 * slices (red), the IoU of each slice printed, and the consistency curve beneath. 180 mm wide: two columns of a journal.
 * What is printed counts slices from 1, as viewers do; everything else from 0.
 */
import type { Consistency } from '../../../src-contract/comparison.ts';
import { applyAffine, composeAffine, invertAffine, point } from '../../../src-contract/geometry.ts';
import { type Options, optionLetters } from '../../../src-contract/run-events.ts';
import type { SourceBox } from '../../../src-contract/source-box.ts';
import { researchNotice, summarizeEvents } from '../../../src-contract/trace.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import { canonicalToSource, sliceOrientation } from '../../slices/affine-chain.ts';
import type { ComparedRun } from '../compare/compare-runs.ts';
import { cuboidSlices, requireCuboid, storedSliceAxis } from '../compare/consistency.ts';
import { sectionAt } from '../compare/run-target.ts';
import { consistencyPlot } from './consistency-plot.ts';
import { points, type Scene, type Shape } from './scene.ts';
import {
  cuboidStroke,
  fitPicture,
  iouTag,
  regionAround,
  type SlicePanel,
  slicePanel,
  twoDStroke,
} from './slice-panel.ts';
import { breakLines, textWidth } from './text-lines.ts';

export interface FigureContent {
  /** Of the case: no patient's name. */
  readonly title: string;
  readonly volume: ComparedRun;
  /** 2D runs by slice, as sliceRunsOf finds them. */
  readonly sliceRuns: ReadonlyMap<number, ComparedRun>;
  readonly consistency: Consistency;
  /** The slice that is shown large. */
  readonly slice: number;
  /** At least of the slices that figureSlices names. */
  readonly pictures: ReadonlyMap<number, ImagePixels>;
}

const width = 180;
const margin = 5;
const inner = width - 2 * margin;
const smallPictures = 9;
const smallColumns = 3;

/** Slices whose pictures the figure shows: the large one, and up to nine spread evenly over the curve's points. */
export function figureSlices(
  { points: dots }: Consistency,
  slice: number,
): { large: number; small: number[] } {
  if (dots.length < 2) return { large: slice, small: [] };
  const count = Math.min(smallPictures, dots.length);
  const small = Array.from(
    { length: count },
    (_, index) => dots[Math.round((index * (dots.length - 1)) / (count - 1))].slice,
  );
  return { large: slice, small };
}

/** The slice to show large where nobody chose one: the middle one of those with a 2D run, else of the cuboid. */
export function middleSlice({ points: dots }: Consistency, volume: ComparedRun): number {
  const slices = dots.length > 0 ? dots.map(({ slice }) => slice) : cuboidSlices(volume.trace);
  return slices[slices.length >> 1] ?? 0;
}

/**
 * Lays the figure out.
 * @throws ReadroomError 'input-invalid' where the volume run drew no cuboid
 */
export function figureScene(content: FigureContent): Scene {
  const { title, volume, sliceRuns, consistency, slice } = content;
  const { large, small } = figureSlices(consistency, slice);
  const shapes: Shape[] = [];
  let y = margin + points(9);
  const line = (text: string, size: number, more: { bold?: boolean; fill?: string; lines?: number } = {}) => {
    for (const each of breakLines(text, size, inner, more.lines ?? 1)) {
      shapes.push({ kind: 'text', x: margin, y, text: each, size, bold: more.bold, fill: more.fill });
      y += size * 1.3;
    }
  };
  line(title, points(10), { bold: true });
  line(`Question: ${volume.trace.question} ${choices(volume.trace.options)}`, points(7.5), { lines: 3 });
  line(`3D answer: ${answerOf(volume)}`, points(7.5));
  const sliceRun = sliceRuns.get(large);
  line(
    `2D answer, slice ${large + 1}: ${sliceRun ? answerOf(sliceRun) : 'not asked on this slice'}`,
    points(7.5),
  );
  y += 0.5;

  const room = { x: margin, y, width: small.length > 0 ? 84 : inner, height: 84 };
  shapes.push(...largePicture(content, room), ...smallPicturesOf(content, small, y));
  y += room.height + 2;
  shapes.push(...legend(y));
  y += 6;
  shapes.push(...curveHeading(content, y + 3));
  y += 4.5;
  const plot = { x: margin, y, width: inner, height: 44 };
  shapes.push(...consistencyPlot(consistency, cuboidSlices(volume.trace), large, plot));
  y += plot.height + points(7) + 1;
  line(provenance(volume), points(6.5), { fill: '#4b5563', lines: 2 });
  const synthetic = volume.trace.synthetic
    ? 'SYNTHETIC: what is marked in these pictures is no patient’s finding. '
    : '';
  line(
    `${synthetic}${researchNotice} Predicted boxes are reasoning aids, not validated localisation.`,
    points(7),
    { bold: true, fill: '#b91c1c', lines: 2 },
  );
  return {
    width,
    height: y + margin - points(7),
    title: `2D predictions against the 3D cuboid: ${title}`,
    description: describe(content),
    shapes,
  };
}

/** Pictures are turned as serialiseImage turns slices; boxes and letters turn with them. */
function turnOf({ volume, sliceRuns }: FigureContent) {
  const { chain } = volume.trace;
  const [sliceRun] = sliceRuns.values();
  const sourceToPatient = chain.sourceToPatient ?? sliceRun?.trace.chain.sourceToPatient ?? null;
  const pictureToSource = canonicalToSource(sliceOrientation(sourceToPatient), chain.sourceSize);
  const sourceToPicture = invertAffine(pictureToSource);
  return {
    pictureToPatient: sourceToPatient && composeAffine(sourceToPatient, pictureToSource),
    inPicture: ({ min, max }: SourceBox): SourceBox => {
      const a = applyAffine(sourceToPicture, point('source', ...min));
      const b = applyAffine(sourceToPicture, point('source', ...max));
      return {
        min: [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.min(a[2], b[2])],
        max: [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.max(a[2], b[2])],
      };
    },
  };
}

/** @param around what the picture shows a part around, in source voxels; none: the whole slice */
function panelOf(content: FigureContent, slice: number, around: readonly SourceBox[] = []): SlicePanel {
  const { volume, consistency, pictures } = content;
  const picture = pictures.get(slice);
  if (!picture) throw new RangeError(`no picture of slice ${slice}`);
  const { pictureToPatient, inPicture } = turnOf(content);
  const dot = consistency.points.find((each) => each.slice === slice);
  const cuboid = sectionAt(requireCuboid(volume.trace), storedSliceAxis, slice);
  return {
    picture,
    region: regionAround(around.map(inPicture), picture),
    pictureToPatient,
    twoD: dot?.box ? inPicture(dot.box) : null,
    cuboid: cuboid && inPicture(cuboid),
    iou: dot?.iou ?? null,
  };
}

type Room = Parameters<typeof fitPicture>[1];

function largePicture(content: FigureContent, room: Room): Shape[] {
  const { slice, volume } = content;
  const panel = panelOf(content, slice);
  const frame = fitPicture(panel, room);
  const count = volume.trace.chain.sourceSize[storedSliceAxis];
  const label = `slice ${slice + 1} of ${count}`;
  const size = points(8);
  const labelWidth = textWidth(label, size) + 1.6;
  return [
    ...slicePanel(panel, frame),
    ...iouTag(panel.iou, frame, points(11)),
    {
      kind: 'rect',
      x: frame.x + frame.width - labelWidth - 0.8,
      y: frame.y + 0.9,
      width: labelWidth,
      height: size * 1.35,
      fill: '#000000',
      opacity: 0.6,
    },
    {
      kind: 'text',
      x: frame.x + frame.width - 0.8 - labelWidth / 2,
      y: frame.y + size * 1.25,
      text: label,
      size,
      fill: '#ffffff',
      anchor: 'middle',
    },
  ];
}

/** Three in a row, all of the same part of the slice, each with its number and IoU beneath. */
function smallPicturesOf(content: FigureContent, slices: readonly number[], top: number): Shape[] {
  const left = margin + 86;
  const step = { x: 28.3, y: 28.3 };
  const size = points(6.5);
  const drawn = content.consistency.points.map(({ box }) => box).filter((box) => box !== null);
  const boxes = [requireCuboid(content.volume.trace), ...drawn];
  return slices.flatMap((slice, index): Shape[] => {
    const panel = panelOf(content, slice, boxes);
    const room = {
      x: left + (index % smallColumns) * step.x,
      y: top + Math.floor(index / smallColumns) * step.y,
      width: 27,
      height: 24,
    };
    const frame = fitPicture(panel, room);
    const said =
      panel.iou !== null ? `IoU ${panel.iou.toFixed(2)}` : panel.twoD === null ? 'no 2D box' : 'outside';
    return [
      ...slicePanel(panel, frame, true),
      {
        kind: 'text',
        x: room.x + room.width / 2,
        y: room.y + room.height + size,
        text: `slice ${slice + 1} · ${said}`,
        size,
        bold: slice === content.slice,
        anchor: 'middle',
      },
    ];
  });
}

function legend(y: number): Shape[] {
  const size = points(7.5);
  const entries = [
    [twoDStroke, '2D prediction on the slice'],
    [cuboidStroke, '3D cuboid, projected within its slices'],
  ] as const;
  let x = margin;
  return entries.flatMap(([stroke, text]): Shape[] => {
    const start = x;
    x += 12 + textWidth(text, size) + 8;
    return [
      {
        kind: 'line',
        points: [
          [start, y + 2],
          [start + 9, y + 2],
        ],
        stroke: { ...stroke, width: 0.8 },
      },
      { kind: 'text', x: start + 11, y: y + 2 + size * 0.35, text, size },
    ];
  });
}

function curveHeading({ consistency, volume }: FigureContent, y: number): Shape[] {
  const { points: dots, meanIou } = consistency;
  const boxes = dots.filter(({ box }) => box !== null).length;
  const covered = cuboidSlices(volume.trace).length;
  const mean = meanIou === null ? 'no 2D run' : `mean IoU ${meanIou.toFixed(2)}`;
  const text = `Consistency over the cuboid’s ${covered} slices: ${mean}; 2D asked on ${dots.length}, a box on ${boxes}`;
  return [{ kind: 'text', x: margin, y, text, size: points(8), bold: true }];
}

const choices = (options: Options): string =>
  optionLetters
    .filter((letter) => options[letter])
    .map((letter) => `${letter}. ${options[letter]}`)
    .join(' · ');

function answerOf({ trace }: ComparedRun): string {
  return summarizeEvents(trace.events).answer?.text.replace(/\s+/g, ' ').trim() || 'none';
}

function provenance({ trace }: ComparedRun): string {
  const { started } = summarizeEvents(trace.events);
  const model = started && [
    started.model.name,
    started.model.precision,
    `preset ${started.preset}`,
    started.sampling.temperature === 0 ? 'greedy' : `temperature ${started.sampling.temperature}`,
  ];
  const { modality, columns, rows, slices } = trace.series ?? {};
  const series = modality && [`${modality} ${columns} x ${rows} x ${slices}`];
  return [...(model ?? []), ...(series || []), `Readroom ${trace.app.version}`].join(' · ');
}

function describe({ title, consistency, slice }: FigureContent): string {
  const list = consistency.points
    .map((point) => `slice ${point.slice + 1} ${point.iou === null ? 'no box' : point.iou.toFixed(2)}`)
    .join(', ');
  return `${title}. Slice ${slice + 1} with the 2D prediction (green) and the 3D cuboid's section (red). IoU by slice: ${list || 'none'}. ${researchNotice}`;
}
