/**
 * Scores the output of `2d-batch` or `3d-batch` on cases of training/make_eval.py, which carry answer, kind and boxes:
 *
 *     node scripts/score-predictions.mjs predictions.json [--json]
 *
 * Per kind and overall: answers by the reference's inference rule, and the mean IoU of the predicted box (the last one
 * of the response that has a truth of its size; 0 where a box was expected and none came). Boxes are in processor pixels
 * and slices, upper bounds exclusive. Cases without a true box do not count towards IoU; a box drawn there is counted
 * apart as a false alarm.
 */
import { readFileSync } from 'node:fs';

const boxPattern = /<\|box_start\|>[[(]([^\])]+)[\])]<\|box_end\|>/g;

/** 4 numbers become a box of one slice, so that one formula serves both. */
function asCuboid(numbers) {
  if (numbers.length === 4) return [numbers[0], numbers[1], 0, numbers[2], numbers[3], 1];
  return numbers.length === 6 ? numbers : null;
}

export function cuboidIou(a, b) {
  let intersection = 1;
  let volumeA = 1;
  let volumeB = 1;
  for (let axis = 0; axis < 3; axis++) {
    intersection *= Math.max(0, Math.min(a[axis + 3], b[axis + 3]) - Math.max(a[axis], b[axis]));
    volumeA *= Math.max(0, a[axis + 3] - a[axis]);
    volumeB *= Math.max(0, b[axis + 3] - b[axis]);
  }
  const union = volumeA + volumeB - intersection;
  return union > 0 ? intersection / union : 0;
}

function predictedBoxes(response) {
  return [...response.matchAll(boxPattern)]
    .map((match) => asCuboid(match[1].split(',').map(Number)))
    .filter(Boolean);
}

function truthOf(record) {
  const boxes = record.boxes ?? JSON.parse(record.Boxes || '[]');
  return boxes.map(asCuboid).filter(Boolean);
}

function readRecords(path) {
  const text = readFileSync(path, 'utf8');
  return text.trimStart().startsWith('[')
    ? JSON.parse(text)
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
}

export function score(records) {
  const groups = new Map();
  const add = (name, right, iou, alarm) => {
    const group = groups.get(name) ?? { count: 0, right: 0, ious: [], falseAlarms: 0 };
    group.count++;
    group.right += right ? 1 : 0;
    if (iou !== null) group.ious.push(iou);
    group.falseAlarms += alarm ? 1 : 0;
    groups.set(name, group);
  };
  for (const record of records) {
    const right = record.prediction === (record.answer ?? record.Answer);
    const truth = truthOf(record);
    const predicted = predictedBoxes(record.response);
    // Each true box is compared with the prediction that fits it best.
    const ious = truth.map((box) => Math.max(0, ...predicted.map((other) => cuboidIou(box, other))));
    const iou = ious.length > 0 ? ious.reduce((sum, value) => sum + value, 0) / ious.length : null;
    const alarm = truth.length === 0 && predicted.length > 0;
    for (const name of [record.kind ?? record.Kind ?? 'unknown', 'all']) add(name, right, iou, alarm);
  }
  const report = {};
  for (const [name, { count, right, ious, falseAlarms }] of [...groups].sort()) {
    const mean = ious.length > 0 ? ious.reduce((sum, value) => sum + value, 0) / ious.length : null;
    report[name] = {
      count,
      answers: Number((right / count).toFixed(4)),
      boxes: ious.length,
      meanIoU: mean === null ? null : Number(mean.toFixed(4)),
      falseAlarms,
    };
  }
  return report;
}

if (process.argv[1]?.endsWith('score-predictions.mjs')) {
  const [path, flag] = process.argv.slice(2);
  if (!path) {
    console.error('Usage: node scripts/score-predictions.mjs predictions.json|jsonl [--json]');
    process.exit(2);
  }
  const report = score(readRecords(path));
  if (flag === '--json') console.log(JSON.stringify(report));
  else console.table(report);
}
