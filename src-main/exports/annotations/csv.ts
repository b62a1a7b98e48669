/**
 * One line a box, rejected ones too, in source voxels and patient millimetres. RFC 4180; a dot as decimal sign; UTF-8.
 * Voxel edges lie half a voxel outside the first and last voxel (centres are at whole numbers, counted from 0).
 */
import { boxIou, centreDistance } from '../../../src-contract/box-measures.ts';
import type { ExportOptions, FormatWriter, RunToExport } from '../export-run.ts';
import {
  allFindings,
  describeVerdict,
  type Finding,
  patientCentre,
  sideLengths,
  voxelRange,
} from '../findings.ts';
import type { OutputFolder } from '../output-folder.ts';

const axes = ['i', 'j', 'k'] as const;
const columns = [
  'case',
  'run_id',
  'created_at',
  'mode',
  'question',
  'box',
  'origin',
  'label',
  'reader',
  'verdict',
  'comment',
  ...axes.flatMap((axis) => [`${axis}_first`, `${axis}_last`]),
  ...axes.flatMap((axis) => [`${axis}_low_edge`, `${axis}_high_edge`]),
  'centre_x_mm',
  'centre_y_mm',
  'centre_z_mm',
  'size_i_mm',
  'size_j_mm',
  'size_k_mm',
  'volume_mm3',
  'corners_lps_mm',
  'iou_with_model',
  'centre_shift',
  'centre_shift_unit',
  'model',
  'model_sha256',
  'synthetic',
  'notice',
] as const;

type Cell = string | number | boolean | null;

export async function openCsv(folder: OutputFolder, _options: ExportOptions): Promise<FormatWriter> {
  const file = await folder.openFile('boxes.csv');
  await file.write(`${columns.join(',')}\r\n`);
  return {
    async add(item) {
      for (const finding of allFindings(item.findings)) {
        const cells = cellsOf(item, finding);
        await file.write(`${columns.map((name) => cell(cells[name])).join(',')}\r\n`);
      }
    },
    finish: () => file.close(),
  };
}

function cellsOf(item: RunToExport, finding: Finding): Record<(typeof columns)[number], Cell> {
  const { findings, run, title, readerName } = item;
  const { chain, summary } = findings;
  const range = voxelRange(chain, finding.box);
  const { min, max } = finding.box;
  const centre = patientCentre(finding.located);
  const sides = sideLengths(finding.located, chain);
  const shift = finding.modelBox && centreDistance(finding.modelBox, finding.box, chain.sourceToPatient);
  return {
    case: title,
    run_id: run.runId,
    created_at: run.trace.createdAt,
    mode: findings.mode,
    question: run.trace.question,
    box: finding.key,
    origin: finding.origin,
    label: finding.label,
    reader: readerName,
    verdict: describeVerdict(finding),
    comment: finding.verdict?.comment ?? null,
    i_first: range[0][0],
    i_last: range[0][1],
    j_first: range[1][0],
    j_last: range[1][1],
    k_first: range[2][0],
    k_last: range[2][1],
    i_low_edge: min[0],
    i_high_edge: max[0],
    j_low_edge: min[1],
    j_high_edge: max[1],
    k_low_edge: min[2],
    k_high_edge: max[2],
    centre_x_mm: centre?.[0] ?? null,
    centre_y_mm: centre?.[1] ?? null,
    centre_z_mm: centre?.[2] ?? null,
    size_i_mm: sides?.[0] ?? null,
    size_j_mm: sides?.[1] ?? null,
    size_k_mm: sides?.[2] ?? null,
    volume_mm3: sides && sides[0] * sides[1] * sides[2],
    corners_lps_mm:
      finding.located.patientCorners?.map((corner) => `(${corner.map(short).join(' ')})`).join(' ') ?? null,
    iou_with_model: finding.modelBox && boxIou(finding.modelBox, finding.box),
    centre_shift: shift?.value ?? null,
    centre_shift_unit: shift?.unit ?? null,
    model: summary.started?.model.name ?? null,
    model_sha256: summary.started?.model.modelHash ?? null,
    synthetic: findings.synthetic,
    notice: run.trace.notice,
  };
}

const short = (value: number): string => String(Number(value.toFixed(6)));

function cell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return short(value);
  // A leading =, +, - or @ would be run as a formula by spreadsheets; what was imported is not to be trusted.
  const text = typeof value === 'string' ? value.replace(/^(?=[=+\-@\t])/, "'") : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
