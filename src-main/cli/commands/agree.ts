/** `agree PROJECT`: how far the readers of a project agree, with each other and with the model. */
import { resolve } from 'node:path';
import {
  type Agreement,
  type BoxAgreement,
  caseFilterSchema,
  type Disagreement,
  type Reader,
} from '../../../src-contract/project.ts';
import { agreementIn, disagreementsIn } from '../../storage/project/analysis.ts';
import { Project } from '../../storage/project/project.ts';
import { formatEstimate, formatTable } from '../table.ts';

/** Whoever has the file may see all of it; nothing is written in this name. */
const everyone: Reader = { readerId: 'command-line', name: 'command line', role: 'adjudicator' };

/** Disagreements that are printed; --json has all. */
const shown = 20;

export async function runAgree(file: string, { json }: { json: boolean }): Promise<void> {
  const project = Project.open(resolve(file), { reader: everyone, trusted: false });
  try {
    const filter = caseFilterSchema.parse({});
    const agreement = agreementIn(project, filter);
    const disagreements = disagreementsIn(project, filter);
    process.stdout.write(
      json
        ? `${JSON.stringify({ ...agreement, disagreements }, null, 2)}\n`
        : describe(agreement, disagreements),
    );
  } finally {
    project.close();
  }
}

function describe(agreement: Agreement, disagreements: readonly Disagreement[]): string {
  const { readers, runs, fleiss, pairs, readersAgainstModel } = agreement;
  const name = (readerId: string) => readers.find((one) => one.readerId === readerId)?.name ?? readerId;
  const parts = [
    `Runs that at least two readers have finished: ${runs}\n`,
    `Fleiss' kappa over the decisions on ${fleiss.n} steps: ${formatEstimate(fleiss)}\n`,
  ];
  if (pairs.length > 0) {
    const rows = pairs.map(({ a, b, observed, cohen }) => [
      `${name(a)} – ${name(b)}`,
      String(cohen.n),
      observed === null ? '–' : observed.toFixed(3),
      formatEstimate(cohen),
    ]);
    parts.push(
      '\nDecisions\n',
      formatTable([['readers', 'steps', 'observed', "Cohen's kappa [95 %]"], ...rows], [1, 2]),
      '\nBoxes of two readers\n',
      boxTable(pairs.map(({ a, b, boxes }) => [`${name(a)} – ${name(b)}`, boxes])),
    );
  }
  if (readersAgainstModel.length > 0) {
    const rows = readersAgainstModel.map(({ readerId, decisions: { accept, reject, correct } }) => [
      name(readerId),
      ...[accept, reject, correct].map(String),
    ]);
    parts.push(
      '\nReaders and the model\n',
      formatTable([['reader', 'accepted', 'rejected', 'corrected'], ...rows], [1, 2, 3]),
      '\n',
      boxTable(readersAgainstModel.map(({ readerId, boxes }) => [`${name(readerId)} – model`, boxes])),
    );
  }
  if (disagreements.length > 0) {
    const rows = disagreements
      .slice(0, shown)
      .map(({ title, step, said, iou, settled }) => [
        title.length > 40 ? `${title.slice(0, 39)}…` : title,
        step === null ? 'added box' : `box ${step + 1}`,
        said.map(({ readerId, what }) => `${name(readerId)}: ${what}`).join(', '),
        iou === null ? '–' : iou.toFixed(3),
        settled ? 'settled' : 'open',
      ]);
    parts.push(
      `\nDisagreements, worst first (${disagreements.length})\n`,
      formatTable([['case', 'what', 'said', 'least IoU', ''], ...rows]),
    );
    if (disagreements.length > shown) parts.push(`… and ${disagreements.length - shown} more (--json)\n`);
  }
  return parts.join('');
}

function boxTable(rows: readonly (readonly [string, readonly BoxAgreement[]])[]): string {
  const lines = rows.flatMap(([who, boxes]) =>
    boxes.map(({ mode, matched, onlyA, onlyB, detection, meanIou }) => [
      who,
      mode.toUpperCase(),
      ...[matched, onlyA, onlyB].map(String),
      formatEstimate(detection),
      formatEstimate(meanIou),
    ]),
  );
  const head = ['who', '', 'matched', 'only 1st', 'only 2nd', 'detection [95 %]', 'mean IoU [95 %]'];
  return formatTable([head, ...lines], [2, 3, 4]);
}
