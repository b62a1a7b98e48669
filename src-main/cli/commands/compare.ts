/** `compare A B`: two traces beside each other. */
import type { AlignedStep, Comparison } from '../../../src-contract/comparison.ts';
import { compareRuns } from '../../review/compare/compare-runs.ts';
import { readTraceFile } from '../read-trace.ts';
import { formatTable } from '../table.ts';
import { formatSeconds } from '../terminal.ts';

export async function runCompare(fileA: string, fileB: string, { json }: { json: boolean }): Promise<void> {
  const [a, b] = await Promise.all([readTraceFile(fileA), readTraceFile(fileB)]);
  const comparison = compareRuns({ runId: fileA, trace: a }, { runId: fileB, trace: b });
  process.stdout.write(json ? `${JSON.stringify(comparison, null, 2)}\n` : describe(comparison));
}

function describe({ a, b, samePixels, differences, steps }: Comparison): string {
  const reward = (side: Comparison['a']) =>
    side.answerReward === null
      ? `format ${side.formatReward}, answer not known`
      : (0.8 * side.answerReward + 0.2 * side.formatReward).toFixed(2);
  const rows: [string, (side: Comparison['a']) => string][] = [
    ['', (side) => side.label],
    ['trace', (side) => side.runId],
    ['answer', (side) => side.answer?.replace(/\s+/g, ' ') ?? '–'],
    ['reward', reward],
    ['stopped by', (side) => side.stopReason ?? '–'],
    ['new tokens', (side) => String(side.newTokens ?? '–')],
    ['time', (side) => (side.totalMs === null ? '–' : formatSeconds(side.totalMs))],
  ];
  const table = formatTable(rows.map(([name, of]) => [name, of(a), of(b)]));
  const different = differences
    .filter(({ what }) => what !== 'System prompt')
    .map(({ what, a: one, b: other }) => [`  ${what}`, shortened(one), shortened(other)]);
  const prompts = differences.some(({ what }) => what === 'System prompt') ? '  System prompt\n' : '';
  return [
    table,
    differences.length > 0 ? `\nAsked differently:\n${formatTable(different)}${prompts}` : '',
    samePixels ? '' : '\nNot about the same pixels: boxes are not measured against each other.\n',
    '\nWords: [-only in the first-] {+only in the second+}\n',
    ...steps.map(describeStep),
  ].join('');
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text);

/** As wdiff writes it. */
const marks = { both: ['', ''], a: ['[-', '-]'], b: ['{+', '+}'] } as const;

function describeStep({ a, b, closing, words, iou, centre }: AlignedStep): string {
  const text = words.map((piece) => `${marks[piece.side][0]}${piece.text}${marks[piece.side][1]}`).join('');
  const number = (step: number | null) => (step === null ? 'none' : String(step + 1));
  const measures =
    iou === null || centre === null
      ? ''
      : `, IoU ${iou.toFixed(3)}, centres ${centre.value.toFixed(1)} ${centre.unit} apart`;
  const head = closing ? 'after the last box' : `box ${number(a)} | ${number(b)}${measures}`;
  return `\n${head}\n  ${text.trim().replace(/\n/g, '\n  ')}\n`;
}
