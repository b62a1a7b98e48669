/** `evaluate`: batches scored and compared. `ablate`: a table run with every preset, then evaluated. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import type { Preset } from '../../../src-contract/run-events.ts';
import { type Evaluation, evaluate, foundIou, type Scores } from '../../evaluation/evaluate.ts';
import { scoreRecords } from '../../evaluation/predictions.ts';
import { writeFileAtomically } from '../../trace/atomic-write.ts';
import type { GenerationOptions, ModelOptions } from '../options.ts';
import { formatEstimate, formatTable } from '../table.ts';
import { note } from '../terminal.ts';
import { readRecords, run2dBatch, run3dBatch } from './batch.ts';
import type { VolumeOptions } from './single.ts';

export async function runEvaluate(files: string[], { json }: { json: boolean }): Promise<void> {
  const named = files.map((text) => {
    const match = /^([^=/\\]+)=(.+)$/.exec(text);
    return match ? { name: match[1], file: match[2] } : { name: basename(text, extname(text)), file: text };
  });
  print(evaluateFiles(named), json);
}

export interface AblateOptions extends ModelOptions, Omit<GenerationOptions, 'preset'>, VolumeOptions {
  input?: string;
  imageRoot?: string;
  inputCsv?: string;
  dataRoot?: string;
  out: string;
  presets: Preset[];
  maxSamples?: number;
  json: boolean;
}

export async function runAblate(options: AblateOptions): Promise<void> {
  const table = options.input ?? options.inputCsv;
  if (table === undefined || (options.input !== undefined && options.inputCsv !== undefined)) {
    throw new ReadroomError('input-invalid', 'Give either --input (2D) or --input-csv (3D).', {
      remedy: 'The tables are those of 2d-batch and 3d-batch, with the right answers.',
    });
  }
  await claimFolder(options, table);
  const two = options.input !== undefined;
  const outputOf = (preset: Preset) => join(options.out, `${preset}.${two ? 'json' : 'jsonl'}`);
  for (const preset of options.presets) {
    const output = outputOf(preset);
    if (existsSync(output)) continue;
    if (!options.quiet) note(`Preset ${preset}`);
    const batch = { ...options, preset, output, traces: join(options.out, preset), events: false };
    if (two) await run2dBatch({ ...batch, input: table });
    else await run3dBatch({ ...batch, inputCsv: table });
  }
  print(
    evaluateFiles(options.presets.map((preset) => ({ name: preset, file: outputOf(preset) }))),
    options.json,
  );
}

const claimSchema = z.object({ ablation: z.literal('readroom-ablation-1'), fingerprint: z.string() });

/**
 * A folder belongs to one ablation: finished presets of another table, model or setting are never mixed in.
 * @throws ReadroomError 'input-invalid'
 */
async function claimFolder(options: AblateOptions, table: string): Promise<void> {
  const { modelPath, precision, torchDtype, maxSamples, targetSize, normalize } = options;
  const { maxNewTokens, maxRounds, tokensPerRound, temperature, topP, topK, seed } = options;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(table);
  } catch (thrown) {
    throw toReadroomError(thrown, 'file-not-found', { file: table, remedy: 'Check the path of the table.' });
  }
  const identity = [
    [createHash('sha256').update(bytes).digest('hex'), maxSamples],
    [modelPath, precision, torchDtype],
    [maxNewTokens, maxRounds, tokensPerRound, temperature, topP, topK, seed],
    options.inputCsv === undefined ? null : [targetSize, normalize],
  ];
  const fingerprint = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  const file = join(options.out, 'ablation.json');
  mkdirSync(options.out, { recursive: true });
  if (!existsSync(file)) {
    await writeFileAtomically(file, `${JSON.stringify({ ablation: 'readroom-ablation-1', fingerprint })}\n`);
    return;
  }
  let claim: unknown;
  try {
    claim = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    claim = null;
  }
  if (claimSchema.safeParse(claim).data?.fingerprint === fingerprint) return;
  throw new ReadroomError(
    'input-invalid',
    `${options.out} holds another ablation (other table, model or settings).`,
    { file, remedy: 'Give the options it was begun with to continue it, or another folder.' },
  );
}

function evaluateFiles(named: readonly { name: string; file: string }[]): Evaluation {
  const names = named.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ReadroomError('input-invalid', `Two batches are called '${twice}'.`, {
      remedy: 'Name them: evaluate grounded=a/out.json blind=b/out.json.',
    });
  }
  return evaluate(named.map(({ name, file }) => ({ name, records: scoreRecords(readRecords(file), file) })));
}

function print(evaluation: Evaluation, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(evaluation, null, 2)}\n` : describe(evaluation));
}

function describe({ batches, differences }: Evaluation): string {
  const rowOf = (name: string, scores: Scores) => [
    name,
    String(scores.count),
    String(scores.failed),
    formatEstimate(scores.answers.inference),
    formatEstimate(scores.reward),
    formatEstimate(scores.meanIou),
    formatEstimate(scores.found),
    String(scores.falseAlarms),
  ];
  const head = ['cases', 'failed', 'answers', 'reward', 'mean IoU', `IoU >= ${foundIou}`, 'false alarms'];
  const right = [1, 2, 7];
  const parts = [
    'All cases; estimates with 95 % intervals\n',
    formatTable([['', ...head], ...batches.map(({ name, scores }) => rowOf(name, scores[0]))], right),
    '\nAnswers by rule\n',
    formatTable([
      ['', 'inference', 'reward', 'strict'],
      ...batches.map(({ name, scores: [{ answers }] }) => [
        name,
        formatEstimate(answers.inference),
        formatEstimate(answers.reward),
        formatEstimate(answers.strict),
      ]),
    ]),
  ];
  for (const [index, { kind, count }] of (batches[0]?.scores ?? []).entries()) {
    if (index === 0) continue;
    parts.push(
      `\n${kind} (${count})\n`,
      formatTable([['', ...head], ...batches.map(({ name, scores }) => rowOf(name, scores[index]))], right),
    );
  }
  if (differences.length > 0) {
    const rows = differences.flatMap(({ name, byKind }) =>
      byKind.map(({ kind, answers, onlyFirst, onlySecond, p, reward, meanIou }) => [
        name,
        kind,
        formatEstimate(answers),
        `${onlyFirst} / ${onlySecond}`,
        p === null ? '–' : p < 0.0001 ? '< 0.0001' : p.toFixed(4),
        formatEstimate(reward),
        formatEstimate(meanIou),
      ]),
    );
    const columns = [
      '',
      'kind',
      'answers',
      'only first / only this right',
      'McNemar p',
      'reward',
      'mean IoU',
    ];
    parts.push(`\nAgainst ${batches[0].name}, case by case\n`, formatTable([columns, ...rows]));
  }
  return parts.join('');
}
