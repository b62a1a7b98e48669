/**
 * A run as a training sample, in the form that UniReason-Med was trained on: system, user and one assistant turn, every
 * image an `<image>` in its place, first the slices, then after each box the crops that the model is shown.
 *
 * A reader's corrections go in: corrected boxes and amended words replace the model's, added boxes follow the words they
 * belong to, a rejected step is left out with its words, an amended answer takes the answer's place. `provenance` says
 * which of these was done.
 *
 * Source of the form: IQuestLab/unireason-med code/sft (dataset_info.json, materialize_unireason_med_sft.py) at 77f447b.
 */
import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import type { ProcessorBox } from '../../../src-contract/geometry.ts';
import type { OptionLetter } from '../../../src-contract/run-events.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import { sliceSetKey } from '../annotations/coco.ts';
import { NotExportable, type RunToExport } from '../export-run.ts';
import { allFindings, cleanWords, describeVerdict, type Finding, type Findings } from '../findings.ts';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface SampleImage {
  /** Neutral, and equal for equal pixels of one case. */
  readonly id: string;
  png(): Promise<Uint8Array>;
}

export interface Sample {
  readonly messages: readonly Message[];
  /** In the order of the `<image>`s; the first `slices` of them belong to the prompt. */
  readonly images: readonly SampleImage[];
  readonly slices: number;
  readonly provenance: Provenance;
}

export interface Provenance {
  readonly run_id: string;
  readonly case: string;
  readonly created_at: string;
  readonly model: string;
  readonly model_sha256: string;
  readonly precision: string;
  readonly preset: string;
  readonly reader: string | null;
  /** True when the reader has finished the run. */
  readonly reviewed: boolean;
  readonly boxes: readonly { readonly box: string; readonly origin: string; readonly verdict: string }[];
  readonly words_amended: boolean;
  readonly answer_amended: boolean;
  readonly synthetic: boolean;
  readonly source_sha256: readonly string[];
  readonly notice: string;
}

export const imageTag = '<image>';

/** What was asked, as the model was told it. */
export interface PromptPart {
  readonly messages: readonly Message[];
  readonly images: readonly SampleImage[];
}

/** @throws NotExportable where the run never began or its pixels can't be had again */
export async function promptOf(item: RunToExport): Promise<PromptPart> {
  const { started } = item.findings.summary;
  if (!started) throw new NotExportable('The run never began.');
  const slices = await item.images.slices();
  const set = createHash('sha256').update(sliceSetKey(item)).digest('hex').slice(0, 16);
  const images = slices.map((slice, z) => ({
    id: `slice-${set}-${String(z).padStart(3, '0')}`,
    png: async () => toPng(slice),
  }));
  return {
    messages: [
      { role: 'system', content: plain(started.systemPrompt) },
      { role: 'user', content: imageTag.repeat(slices.length) + plain(started.promptText) },
    ],
    images,
  };
}

/** @throws NotExportable also where the run was cut before its answer, and the reader gave none */
export async function sampleOf(item: RunToExport): Promise<Sample> {
  requireAnswer(item);
  const prompt = await promptOf(item);
  const { content, crops } = responseOf(item);
  const run = createHash('sha256').update(item.run.runId).digest('hex').slice(0, 16);
  const images: SampleImage[] = [...prompt.images];
  for (const { key, pixels, origin } of crops) {
    for (let z = pixels.z1; z < pixels.z2; z++) {
      // A corrected box may be corrected again: its crop is not the one of an earlier export.
      const place = origin === 'model' ? '' : `-${Object.values(pixels).join('.')}`;
      images.push({
        id: `crop-${run}-${key}${place}-${String(z).padStart(3, '0')}`,
        png: () => cropPng(item, pixels, z),
      });
    }
  }
  return {
    messages: [...prompt.messages, { role: 'assistant', content }],
    images,
    slices: prompt.images.length,
    provenance: provenanceOf(item),
  };
}

async function cropPng({ images }: RunToExport, pixels: ProcessorBox, z: number): Promise<Uint8Array> {
  const [crop] = await images.crops({ ...pixels, z1: z, z2: z + 1 });
  return toPng(crop.image);
}

function toPng({ width, height, channels, data }: ImagePixels): Uint8Array {
  return encode({ width, height, channels, data, depth: 8 });
}

function requireAnswer({ findings }: RunToExport): void {
  const { summary, answer } = findings;
  if (answer.amended) return;
  if (summary.stopReason !== 'end-of-turn') {
    throw new NotExportable(
      `The run has no end of its own (${summary.stopReason ?? 'not finished'}): it would teach a cut answer.`,
    );
  }
  if (!summary.closingText.includes('</think>')) {
    throw new NotExportable('The reasoning was never closed (</think>): it would teach a broken form.');
  }
}

/** The assistant turn, and the boxes whose crops stand in it. */
function responseOf({ findings }: RunToExport): { content: string; crops: Finding[] } {
  const { steps, added, summary, review, answer, mode } = findings;
  const crops: Finding[] = [];
  let content = '';
  const look = (finding: Finding, words: string): void => {
    crops.push(finding);
    content += words + imageTag.repeat(finding.pixels.z2 - finding.pixels.z1);
  };
  const lookAtAdded = (part: number | null): void => {
    for (const finding of added.filter((one) => one.part === part)) {
      look(finding, ` ${plain(finding.label)} ${boxMarkup(finding, mode)}`);
    }
  };
  for (const finding of steps) {
    const step = summary.steps[finding.step ?? -1];
    if (step && !finding.rejected) {
      look(finding, stepWords(finding, mode, step.text, review?.sentences[step.step]));
    }
    lookAtAdded(finding.part);
  }
  lookAtAdded(null);
  lookAtAdded(steps.length);
  content += closingWords(summary.closingText, review?.sentences[steps.length], answer);
  return { content: content.startsWith('<think>') ? content : `<think>${content.trimStart()}`, crops };
}

const lastBox = /<\|box_start\|>(?:(?!<\|box_start\|>)[\s\S])*?<\|box_end\|>$/;

/** The model's own words to the letter where nobody changed them. */
function stepWords(
  finding: Finding,
  mode: Findings['mode'],
  original: string,
  amended: string | undefined,
): string {
  const text = plain(original.trimEnd());
  const own = finding.origin === 'model' ? lastBox.exec(text)?.[0] : undefined;
  const box = own ?? boxMarkup(finding, mode);
  if (amended === undefined) return text.replace(lastBox, () => box);
  const opening = text.startsWith('<think>') ? '<think>' : ' ';
  return `${opening}${plain(cleanWords(amended))} ${box}`;
}

function boxMarkup({ pixels }: Finding, mode: Findings['mode']): string {
  const { x1, y1, z1, x2, y2, z2 } = pixels;
  const numbers = mode === '2d' ? [x1, y1, x2, y2] : [x1, y1, z1, x2, y2, z2];
  return `<|box_start|>[${numbers.join(',')}]<|box_end|>`;
}

function closingWords(
  original: string,
  amended: string | undefined,
  answer: { readonly text: string; readonly amended: boolean },
): string {
  const text = plain(original.replace(/<\|(?:im_end|endoftext)\|>[\s\S]*$/, ''));
  const end = text.indexOf('</think>');
  const reasoning = end < 0 ? text : text.slice(0, end);
  const said = end < 0 ? '' : text.slice(end + '</think>'.length);
  const words = amended === undefined ? reasoning : ` ${plain(cleanWords(amended))}`;
  return `${words}</think>${answer.amended ? `\n${plain(answer.text)}` : said}`;
}

/** An `<image>` in somebody's words would be taken for one. */
function plain(text: string): string {
  return text
    .replaceAll(imageTag, '< image >')
    .replaceAll('<video>', '< video >')
    .replaceAll('<audio>', '< audio >');
}

/** The letter that is right: the case's own, else the reader's. */
export function groundTruth({ findings }: RunToExport): OptionLetter | null {
  return findings.trace.expected ?? (findings.answer.amended ? findings.answer.letter : null);
}

export function provenanceOf(item: RunToExport): Provenance {
  const { run, findings, title, readerName } = item;
  const { started } = findings.summary;
  return {
    run_id: run.runId,
    case: title,
    created_at: run.trace.createdAt,
    model: started?.model.name ?? '',
    model_sha256: started?.model.modelHash ?? '',
    precision: started?.model.precision ?? '',
    preset: started?.preset ?? '',
    reader: readerName,
    reviewed: findings.review?.reading?.status === 'done',
    boxes: allFindings(findings).map((finding) => ({
      box: finding.key,
      origin: finding.origin,
      verdict: describeVerdict(finding),
    })),
    words_amended: Object.keys(findings.review?.sentences ?? {}).length > 0,
    answer_amended: findings.answer.amended,
    synthetic: findings.synthetic,
    source_sha256: run.sources.map(({ sha256 }) => sha256),
    notice: run.trace.notice,
  };
}
