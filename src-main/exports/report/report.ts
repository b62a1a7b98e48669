/** The words of the report: question, steps, answer, review, provenance. */
import { compareBoxes } from '../../../src-contract/box-measures.ts';
import { optionLetters } from '../../../src-contract/run-events.ts';
import { type ExportOptions, NotExportable, type RunToExport } from '../export-run.ts';
import {
  allFindings,
  describeVerdict,
  type Finding,
  patientCentre,
  sideLengths,
  voxelRange,
} from '../findings.ts';
import { escapeHtml } from './escape.ts';
import { cropPictures, slicePicture } from './pictures.ts';
import { styles } from './styles.ts';

/** Source files whose hashes are printed: a series has hundreds. */
const mostSources = 6;

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** One page of HTML that needs nothing but itself. */
export async function reportHtml(item: RunToExport, options: ExportOptions): Promise<string> {
  const { findings, title } = item;
  const steps: string[] = [];
  const missing = new Set<string>();
  for (const finding of allFindings(findings)) {
    const slice = await slicePicture(item, finding).catch((thrown: unknown) => {
      if (!(thrown instanceof NotExportable)) throw thrown;
      missing.add(thrown.message);
      return '';
    });
    steps.push(stepHtml(item, finding, slice));
  }
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<p class="quiet">Readroom report, run of ${escapeHtml(item.run.trace.createdAt.slice(0, 10))}</p>`,
    `<p class="notice">${escapeHtml(item.run.trace.notice)} Boxes are reasoning aids, not validated localisation.</p>`,
    findings.synthetic
      ? '<p class="synthetic">Synthetic: something in these images was drawn by a program.</p>'
      : '',
    questionHtml(item),
    answerHtml(item),
    '<h2>Reasoning</h2>',
    ...[...missing].map((reason) => `<p class="quiet">Slices are not shown: ${escapeHtml(reason)}</p>`),
    ...steps,
    steps.length === 0 ? '<p>The model marked no region.</p>' : '',
    findings.closing ? `<p class="words">${escapeHtml(findings.closing)}</p>` : '',
    reviewHtml(item),
    provenanceHtml(item, options),
  ];
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8">` +
    `<meta http-equiv="Content-Security-Policy" content="${policy}">` +
    `<meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>` +
    `<style>${styles}</style></head><body><main>\n${body.filter(Boolean).join('\n')}\n</main></body></html>\n`
  );
}

function rows(
  entries: readonly (readonly [string, string | number | null | undefined])[],
  hash = false,
): string {
  const lines = entries
    .filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(
      ([name, value]) =>
        `<tr><th scope="row">${escapeHtml(name)}</th><td${hash ? ' class="hash"' : ''}>${escapeHtml(String(value))}</td></tr>`,
    );
  return lines.length > 0 ? `<table>${lines.join('')}</table>` : '';
}

function questionHtml({ run }: RunToExport): string {
  const { question, options } = run.trace;
  const choices = optionLetters
    .filter((letter) => options[letter])
    .map((letter) => `<li>${letter}. ${escapeHtml(options[letter] ?? '')}</li>`);
  return `<h2>Question</h2><p class="question">${escapeHtml(question)}</p>${choices.length > 0 ? `<ol class="choices">${choices.join('')}</ol>` : ''}`;
}

function answerHtml({ findings, readerName }: RunToExport): string {
  const { answer, summary, trace } = findings;
  const answers = summary.answer?.answers;
  const show = (letter: string | null | undefined): string => letter ?? 'none';
  return (
    '<h2>Answer</h2>' +
    rows([
      ['The model', summary.answer?.text.replace(/<\|[a-z_]+\|>/g, '').trim() || 'no answer'],
      [
        'By rule',
        answers &&
          `inference ${show(answers.inference)}, reward ${show(answers.reward)}, strict ${show(answers.strict)}; format ${answers.formatReward}`,
      ],
      ['Right answer of the case', trace.expected],
      [`Amended by ${readerName ?? 'the reader'}`, answer.amended ? answer.text : null],
    ])
  );
}

function stepHtml(item: RunToExport, finding: Finding, slice: string): string {
  const { chain } = item.findings;
  const range = voxelRange(chain, finding.box);
  const centre = patientCentre(finding.located);
  const sides = sideLengths(finding.located, chain);
  const moved = finding.origin === 'corrected' && finding.modelBox;
  const measures = moved ? compareBoxes(chain, moved, finding.box) : null;
  const place = (value: number, positive: string, negative: string): string =>
    `${value >= 0 ? positive : negative} ${Math.abs(value).toFixed(1)}`;
  const facts = rows([
    ['Review', describeVerdict(finding)],
    ['Comment', finding.verdict?.comment],
    ['Voxels', ['i', 'j', 'k'].map((axis, n) => `${axis} ${range[n][0]}–${range[n][1]}`).join(', ')],
    [
      'Centre',
      centre &&
        `${place(centre[0], 'L', 'R')}, ${place(centre[1], 'P', 'A')}, ${place(centre[2], 'S', 'I')} mm`,
    ],
    ['Size', sides && `${sides.map((side) => side.toFixed(1)).join(' x ')} mm`],
    [
      "Against the model's box",
      measures &&
        `IoU ${measures.iou.toFixed(2)}, centre moved ${measures.centre.value.toFixed(1)} ${measures.centre.unit}, Dice of slices ${measures.sliceDice.toFixed(2)}`,
    ],
  ]);
  const words = finding.text
    ? `<p class="words">${escapeHtml(finding.text)}${finding.textAmended ? ' <span class="quiet">(amended by the reader)</span>' : ''}</p>`
    : '';
  return (
    `<section class="step${finding.rejected ? ' rejected' : ''}"><h3>${escapeHtml(finding.label)}</h3>${words}` +
    `<div class="look">${slice}<div class="beside">${cropPictures(item, finding)}${facts}</div></div></section>`
  );
}

function reviewHtml({ findings, readerName }: RunToExport): string {
  const { review } = findings;
  if (!review) return '';
  const decided = Object.keys(review.verdicts).length;
  return (
    '<h2>Review</h2>' +
    rows([
      ['Reader', readerName],
      ['Status', review.reading?.status === 'done' ? 'finished' : 'not finished'],
      ['Steps decided', `${decided} of ${findings.steps.length}`],
      ['Time', review.reading ? `${Math.round(review.reading.activeMs / 1000)} s` : null],
      ['Comment', review.comment],
    ])
  );
}

function provenanceHtml({ run, findings }: RunToExport, { identifiers }: ExportOptions): string {
  const { trace } = run;
  const { started, finished, stopReason } = findings.summary;
  const { series, chain } = trace;
  const sources = run.sources.slice(0, mostSources).map((source, index) => {
    const name = identifiers
      ? [source.path, source.member].filter(Boolean).join(': ')
      : `source ${index + 1}`;
    return [name, `${source.sha256}, ${source.bytes} bytes`] as const;
  });
  const more = run.sources.length - sources.length;
  return (
    '<section class="provenance"><h2>Provenance</h2>' +
    rows([
      ['Model', started?.model.name],
      ['Weights', started && `${started.model.precision} on ${started.model.provider}`],
      ['Preset', started?.preset],
      [
        'Sampling',
        started &&
          `temperature ${started.sampling.temperature}, top-p ${started.sampling.topP}, top-k ${started.sampling.topK}, seed ${started.sampling.seed}`,
      ],
      ['Ended by', stopReason],
      ['Tokens', finished && `${finished.newTokens} in ${(finished.timings.totalMs / 1000).toFixed(1)} s`],
      [
        'Series',
        series &&
          `${series.modality}, ${series.columns} x ${series.rows} x ${series.slices}, ${series.format}`,
      ],
      ['Shown to the model', `${chain.gridSize.join(' x ')} (${chain.serialization})`],
      ['Grey levels', trace.normalization],
      ['Program', `${trace.app.name} ${trace.app.version}`],
      ['Run', run.runId],
    ]) +
    rows([['Model sha256', started?.model.modelHash], ...sources], true) +
    (more > 0 ? `<p class="quiet">and ${more} more source files, in the trace.</p>` : '') +
    '</section>'
  );
}
