/**
 * Reviewed runs about files that are written here: DICOM on straight, oblique, flipped, permuted and sheared grids, an
 * enhanced multi-frame object, a projection without a position, NIfTI and a picture. The model is scripted; everything
 * else is the real thing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { runRequestSchema } from '../../../src-contract/engine-protocol.ts';
import { emptyReview, type Review } from '../../../src-contract/review.ts';
import { sourceBoxOf } from '../../../src-contract/source-box.ts';
import { summarizeEvents } from '../../../src-contract/trace.ts';
import { createFakeModel } from '../../engine/grounding/fake-model.ts';
import { runGrounded } from '../../engine/grounding/loop.ts';
import { formatPrompt } from '../../engine/grounding/prompts.ts';
import { prepareStudyInput } from '../../runs/prepare-study.ts';
import { withProcessor } from '../../slices/serialise.ts';
import { openStudy } from '../../study/open-study.ts';
import { type DicomElements, writeDicom, writeSeries } from '../../study/testing/dicom-writer.ts';
import { TraceRecorder } from '../../trace/recorder.ts';
import type { ExportRun } from '../export-run.ts';

type Triple = readonly [number, number, number];

const size: Triple = [46, 38, 22];
const spacing: Triple = [1.7, 2.3, 4.1];
const origin: Triple = [-31.5, 12.25, 407];

/** Row-major 3x4 whose columns are `directions`, scaled by the spacing. */
const affineOf = (directions: readonly Triple[]): number[] =>
  [0, 1, 2].flatMap((row) => [
    ...directions.map((direction, axis) => direction[row] * spacing[axis]),
    origin[row],
  ]);

/** Rotation about x, then z, in degrees. */
function turned(aboutX: number, aboutZ: number): [Triple, Triple, Triple] {
  const [a, b] = [(aboutX * Math.PI) / 180, (aboutZ * Math.PI) / 180];
  const [ca, sa, cb, sb] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return [
    [cb, sb, 0],
    [-sb * ca, cb * ca, sa],
    [sb * sa, -cb * sa, ca],
  ];
}
const against = (direction: Triple): Triple => [-direction[0], -direction[1], -direction[2]];

const [u, v, w] = turned(17, -31);
/** k follows the slice normal, as the reader orders slices; rows and columns run any way. */
const grids = {
  axial: affineOf([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]),
  oblique: affineOf([u, v, w]),
  flipped: affineOf([against(u), against(v), w]),
  mirrored: affineOf([against(u), v, against(w)]),
  sagittal: affineOf([
    [0, 1, 0],
    [0, 0, -1],
    [-1, 0, 0],
  ]),
  sheared: affineOf([
    [1, 0, 0],
    [0, 1, 0],
    [0, Math.sin(0.2), Math.cos(0.2)],
  ]),
} as const;

export const caseKinds = [
  ...(Object.keys(grids) as (keyof typeof grids)[]),
  'slice',
  'sagittal-slice',
  'old',
  'multiframe',
  'projection',
  'nifti',
  'picture',
] as const;
export type CaseKind = (typeof caseKinds)[number];

const value = (i: number, j: number, k: number): number =>
  Math.round(300 * Math.sin(i / 5) + 9 * j - 17 * k + ((i * j) % 7));

/** What a real image has, so that validators speak of the derived object and not of its source. */
const header = (k: number): DicomElements => ({
  '00080008': ['CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
  '00080018': ['UI', `1.2.826.0.1.3680043.10.1.${k + 1}`],
  '00080020': ['DA', '20200131'],
  '00080030': ['TM', '101112'],
  '00080050': ['SH', 'ACC-7'],
  '00080090': ['PN', 'Doctor^Who'],
  '00100010': ['PN', 'Nobody^Test'],
  '00100020': ['LO', 'ID-4711'],
  '00100030': ['DA', '19500102'],
  '00100040': ['CS', 'O'],
  '0020000D': ['UI', '1.2.826.0.1.3680043.10.2'],
  '0020000E': ['UI', '1.2.826.0.1.3680043.10.3'],
  '00200010': ['SH', 'STUDY1'],
  '00200052': ['UI', '1.2.826.0.1.3680043.10.4'],
});

/** Values as files from before 1993, and careless ones, have them. */
const oldHeader: DicomElements = {
  '00080020': ['DA', '1991.04.24'],
  '00080030': ['TM', '10:11:12'],
  '00080050': ['SH', 'A NUMBER OF MORE THAN SIXTEEN'],
  '00100030': ['DA', 'unknown'],
  '00100040': ['CS', 'male'],
};

/** Slices that are asked about alone lie obliquely, or have to be turned to be looked at. */
function gridOf(kind: keyof typeof grids | 'slice' | 'sagittal-slice' | 'old'): keyof typeof grids {
  switch (kind) {
    case 'slice':
    case 'old':
      return 'oblique';
    case 'sagittal-slice':
      return 'sagittal';
    default:
      return kind;
  }
}

/** Writes the files of a case. @returns what is opened, and the slice that is asked about */
function writeCase(kind: CaseKind, folder: string): { path: string; slice?: number } {
  mkdirSync(folder, { recursive: true });
  switch (kind) {
    case 'nifti':
      return { path: writeNifti(join(folder, 'volume.nii')) };
    case 'picture':
      return { path: writePicture(join(folder, 'picture.png')) };
    case 'projection':
      return { path: writeProjection(join(folder, 'chest.dcm')) };
    case 'multiframe':
      return { path: writeMultiframe(join(folder, 'multiframe.dcm')) };
    default: {
      const [columns, rows, slices] = size;
      const affine = grids[gridOf(kind)];
      const extra = kind === 'old' ? (k: number) => ({ ...header(k), ...oldHeader }) : header;
      const files = writeSeries({ columns, rows, slices, affine, value, extra });
      for (const [k, file] of files.entries()) writeFileSync(join(folder, `${(k * 7) % slices}.dcm`), file);
      return kind.endsWith('slice') ? { path: folder, slice: 9 } : { path: folder };
    }
  }
}

function writePicture(file: string): string {
  const [width, height] = [90, 70];
  const data = Uint8Array.from({ length: width * height }, (_, at) => (at * 13) % 251);
  writeFileSync(file, encode({ width, height, channels: 1, depth: 8, data }));
  return file;
}

/** A radiograph: pixels without a place in the patient. */
function writeProjection(file: string): string {
  const [columns, rows] = [60, 48];
  const pixels = Uint8Array.from({ length: columns * rows }, (_, at) => (at * 11) % 253);
  writeFileSync(
    file,
    writeDicom({
      ...header(0),
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.1.1'],
      '00080060': ['CS', 'DX'],
      '00200011': ['IS', 1],
      '00200013': ['IS', 1],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280010': ['US', rows],
      '00280011': ['US', columns],
      '00280100': ['US', 8],
      '00280101': ['US', 8],
      '00280102': ['US', 7],
      '00280103': ['US', 0],
      '7FE00010': ['OW', pixels],
    }),
  );
  return file;
}

/** Enhanced CT: all slices in one file, in an order of their own. */
function writeMultiframe(file: string): string {
  const [columns, rows, slices] = size;
  const m = grids.oblique;
  const order = Array.from({ length: slices }, (_, n) => (n * 5) % slices);
  const pixels = Buffer.alloc(columns * rows * slices * 2);
  for (const [n, k] of order.entries())
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++)
        pixels.writeUInt16LE(value(i, j, k) + 1024, ((n * rows + j) * columns + i) * 2);
  const unit = (axis: number) => [0, 1, 2].map((row) => m[row * 4 + axis] / spacing[axis]);
  writeFileSync(
    file,
    writeDicom({
      ...header(0),
      '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.2.1'],
      '00080060': ['CS', 'CT'],
      '00200011': ['IS', 1],
      '00200013': ['IS', 1],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280008': ['IS', slices],
      '00280010': ['US', rows],
      '00280011': ['US', columns],
      '00280100': ['US', 16],
      '00280101': ['US', 16],
      '00280102': ['US', 15],
      '00280103': ['US', 0],
      '52009229': [
        'SQ',
        [
          {
            '00209116': ['SQ', [{ '00200037': ['DS', [...unit(0), ...unit(1)]] }]],
            '00289110': [
              'SQ',
              [{ '00180050': ['DS', spacing[2]], '00280030': ['DS', [spacing[1], spacing[0]]] }],
            ],
            '00289145': [
              'SQ',
              [{ '00281052': ['DS', -1024], '00281053': ['DS', 1], '00281054': ['LO', 'HU'] }],
            ],
          },
        ],
      ],
      '52009230': [
        'SQ',
        order.map((k) => ({
          '00209113': [
            'SQ',
            [{ '00200032': ['DS', [0, 1, 2].map((row) => m[row * 4 + 2] * k + m[row * 4 + 3])] }],
          ],
        })),
      ],
      '7FE00010': ['OW', new Uint8Array(pixels)],
    }),
  );
  return file;
}

function writeNifti(file: string): string {
  const [columns, rows, slices] = size;
  const bytes = Buffer.alloc(352 + columns * rows * slices * 2);
  bytes.writeInt32LE(348, 0);
  for (const [n, length] of [3, ...size, 1, 1, 1, 1].entries()) bytes.writeInt16LE(length, 40 + n * 2);
  bytes.writeInt16LE(4, 70);
  bytes.writeInt16LE(16, 72);
  for (const [n, step] of [1, ...spacing, 1].entries()) bytes.writeFloatLE(step, 76 + n * 4);
  bytes.writeFloatLE(352, 108);
  bytes.writeFloatLE(1, 112);
  bytes.writeUInt8(2, 123);
  bytes.writeInt16LE(1, 254);
  for (const [n, entry] of grids.flipped.entries()) bytes.writeFloatLE(n < 8 ? -entry : entry, 280 + n * 4);
  bytes.write('n+1\0', 344, 'latin1');
  let at = 352;
  for (let k = 0; k < slices; k++)
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++, at += 2) bytes.writeInt16LE(value(i, j, k), at);
  writeFileSync(file, bytes);
  return file;
}

const numbers = {
  '3d': ['[30,40,5,120,150,12]', '[60,70,7,90,100,9]', '[100.6,20,0,180,60.2,4]'],
  '2d': ['[5,6,20,30]', '[12,10,30,25]', '[30,20,45,35]'],
} as const;
const script = (boxes: readonly string[]): string[] => [
  `<think>See <|box_start|>${boxes[0]}<|box_end|>`,
  ` then <|box_start|>${boxes[1]}<|box_end|>`,
  ` and <|box_start|>${boxes[2]}<|box_end|>`,
  ' so a node.</think>\nB. right lung<|im_end|>',
];

/** A run of three boxes about the case, without a review. */
export async function makeRun(kind: CaseKind, folder: string): Promise<ExportRun> {
  const { path, slice } = writeCase(kind, folder);
  const open = await openStudy([path]);
  const input = await prepareStudyInput(open, { slice });
  const fake = createFakeModel({ script: script(numbers[input.mode]) });
  const { width, height } = fake.imageProcessor.referenceAlignedSize(
    input.images[0].width,
    input.images[0].height,
  );
  const options = { A: 'left lung', B: 'right lung' };
  const chain = withProcessor(input.chain, width, height);
  const request = runRequestSchema.parse({
    runId: `run-${kind}`,
    mode: input.mode,
    images: [...input.images],
    promptText: formatPrompt(input.mode, 'Where is the node?', options),
    options,
    limits: { maxNewTokens: 4096, maxRounds: 10, tokensPerRound: 2048 },
    chain,
  });
  const recorder = new TraceRecorder({
    app: { name: 'readroom', version: '0.1.0' },
    createdAt: '2026-01-02T03:04:05.678Z',
    synthetic: true,
    sources: [...input.sources],
    series: input.series,
    chain,
    normalization: input.normalization,
    question: 'Where is the node?',
    options,
    expected: 'B',
  });
  await runGrounded(fake, request, (event) => recorder.record(event));
  const trace = recorder.trace();
  return {
    runId: request.runId,
    caseId: `case-${kind}`,
    caseTitle: `Nobody's ${kind}`,
    trace,
    review: null,
    reader: { readerId: 'reader-1', name: 'Dr. Reader' },
    sources: trace.sources,
  };
}

/** The first box accepted, the second corrected by fractions of a voxel, the third rejected, one added, words amended. */
export function reviewOf({ runId, trace }: Pick<ExportRun, 'runId' | 'trace'>): Review {
  const { steps } = summarizeEvents(trace.events);
  const second = sourceBoxOf(steps[1].box.located);
  const flat = trace.chain.serialization === 'image';
  const by = (box: typeof second, low: Triple, high: Triple) => ({
    min: box.min.map((edge, axis) => edge + (flat && axis === 2 ? 0 : low[axis])) as [number, number, number],
    max: box.max.map((edge, axis) => edge + (flat && axis === 2 ? 0 : high[axis])) as [
      number,
      number,
      number,
    ],
  });
  const verdict = { reasons: [], comment: '' };
  return {
    ...emptyReview(runId, 'reader-1'),
    reading: { status: 'done', activeMs: 61_000, revealed: true },
    verdicts: {
      0: { ...verdict, decision: 'accept' },
      1: { ...verdict, decision: 'correct', comment: 'moved, "a bit"' },
      2: { decision: 'reject', reasons: ['nothing-there'], comment: '=cmd|nothing, there' },
    },
    boxes: { 1: by(second, [-1.25, 0.5, -1.5], [2.1, 1.75, 0.75]) },
    added: { a1: { box: by(second, [3, 3, 0], [4, 4, 0]), label: 'missed nodule', part: 1 } },
    sentences: { 1: 'A second look shows' },
    answer: { letter: 'A', text: '' },
    comment: 'Reader’s remark.',
  };
}
