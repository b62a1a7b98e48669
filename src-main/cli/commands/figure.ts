/** `figure [STUDY]`: the paper's 2D-against-3D figure of one case, from the pixels to the file. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import { type OptionLetter, optionLetters } from '../../../src-contract/run-events.ts';
import { parseTrace, serializeTrace, type Trace } from '../../../src-contract/trace.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import { consistencyOf, sliceRunsOf } from '../../review/compare/consistency.ts';
import { type FigureContent, figureScene, figureSlices, middleSlice } from '../../review/figure/figure.ts';
import { figureSuffix } from '../../review/figure/figure-suffix.ts';
import { writeFigure } from '../../review/figure/write-figure.ts';
import { studyCase } from '../../runs/case-study.ts';
import { prepareSeriesInput, selectSeries } from '../../runs/prepare-study.ts';
import { type Question, tokensPerRound } from '../../runs/question-run.ts';
import { openStudy } from '../../study/open-study.ts';
import { samples } from '../../study/samples.ts';
import { writeFileAtomically } from '../../trace/atomic-write.ts';
import { interruptSignal, withEngine } from '../engine-session.ts';
import { type ChoiceOptions, choicesOf, type GenerationOptions, type ModelOptions } from '../options.ts';
import { runSettings } from '../run-settings.ts';
import { note, progress } from '../terminal.ts';

export interface FigureOptions
  extends ModelOptions,
    Omit<GenerationOptions, 'tokensPerRound'>,
    ChoiceOptions {
  sample: boolean;
  title?: string;
  question?: string;
  tokensPerRound?: number;
  series?: string;
  slice?: number;
  expected?: OptionLetter;
  every: number;
  window?: { center: number; width: number };
  out: string[];
  dpi: number;
  /** Folder of the traces: written there, and taken from there when the command is given again. */
  traces?: string;
  json: boolean;
}

export async function runFigure(path: string | undefined, options: FigureOptions): Promise<void> {
  const { title, study: file, question } = subjectOf(path, options);
  // A wrong suffix is told before the model runs for minutes.
  for (const out of options.out) figureSuffix(out);
  const signal = interruptSignal();
  const bar = progress('Opening');
  const study = await openStudy([file], {
    signal,
    onProgress: ({ done, total }) => {
      if (!options.quiet) bar.update(done, total);
    },
  });
  bar.stop();
  const series = selectSeries(study, options.series);
  const pixels = await study.readPixels(series.id, { signal });
  if (options.slice !== undefined && options.slice >= series.slices) {
    throw new ReadroomError(
      'input-invalid',
      `There is no slice ${options.slice} in '${series.description}'.`,
      {
        remedy: `Slices are numbered 0 to ${series.slices - 1}.`,
        field: 'slice',
      },
    );
  }
  const settings = {
    '2d': runSettings({ ...options, tokensPerRound: options.tokensPerRound ?? tokensPerRound['2d'] }),
    '3d': runSettings({ ...options, tokensPerRound: options.tokensPerRound ?? tokensPerRound['3d'] }),
  };
  const { volume: volumeTrace, slices } = await withEngine(options, signal, ({ engine, facts }) =>
    studyCase(
      engine,
      facts,
      { pixels, question, settings, window: options.window, every: options.every, slice: options.slice },
      {
        signal,
        known: options.traces ? tracesIn(options.traces) : [],
        onRun: (slice, done, total) => {
          if (options.quiet) return;
          note(
            slice === null
              ? 'Asking about the volume'
              : `Asking about slice ${slice + 1} of ${series.slices} (${done + 1}/${total})`,
          );
        },
        keep: async (trace, slice) => {
          if (!options.traces) return;
          const name = slice === null ? 'volume.json' : `slice-${String(slice).padStart(5, '0')}.json`;
          await writeFileAtomically(join(options.traces, name), serializeTrace(trace));
        },
      },
    ),
  );
  const volume = { runId: 'volume', trace: volumeTrace };
  const runs = [...slices].map(([slice, trace]) => ({ runId: `slice-${slice}`, trace }));
  const consistency = consistencyOf(volume, runs);
  const slice = options.slice ?? middleSlice(consistency, volume);
  const { large, small } = figureSlices(consistency, slice);
  const pictures = new Map<number, ImagePixels>();
  for (const each of new Set([large, ...small])) {
    const [image] = prepareSeriesInput(pixels, { slice: each, window: options.window }).images;
    pictures.set(each, image);
  }
  const content: FigureContent = {
    // Not the file's name or the study's description: either may hold a patient's name.
    title:
      options.title ?? title ?? `${series.modality}, ${series.columns} x ${series.rows} x ${series.slices}`,
    volume,
    sliceRuns: sliceRunsOf(volume, runs),
    consistency,
    slice,
    pictures,
  };
  const scene = figureScene(content);
  for (const out of options.out) await writeFigure(scene, out, options.dpi);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...consistency, slice, files: options.out }, null, 2)}\n`);
    return;
  }
  for (const { slice: each, iou } of consistency.points)
    process.stdout.write(
      `slice ${each + 1} of ${series.slices}\t${iou === null ? 'no box' : `IoU ${iou.toFixed(3)}`}\n`,
    );
  process.stdout.write(
    `mean\t${consistency.meanIou === null ? '–' : `IoU ${consistency.meanIou.toFixed(3)}`}\n`,
  );
  for (const out of options.out) note(`Written: ${out}`);
}

/** The study named, or the bundled case with its first question. */
function subjectOf(
  path: string | undefined,
  options: FigureOptions,
): { title: string | null; study: string; question: Question } {
  if (options.sample === (path !== undefined)) {
    throw new ReadroomError('input-invalid', 'Give a study, or --sample for the bundled case.', {
      remedy:
        'readroom figure STUDY --question … --out figure.svg, or readroom figure --sample --out figure.svg',
    });
  }
  const choices = choicesOf(options);
  if (path !== undefined) {
    if (options.question === undefined) {
      throw new ReadroomError('input-invalid', '--question is missing.', {
        field: 'question',
        remedy: 'Say what is to be asked about the volume and its slices.',
      });
    }
    const question = { question: options.question, options: choices, expected: options.expected };
    return { title: null, study: path, question };
  }
  const [sample] = samples();
  if (!sample) throw new ReadroomError('file-not-found', 'The bundled case is not there.');
  const suggested = sample.questions.find(
    ({ question }) => options.question === undefined || question === options.question,
  );
  const given = optionLetters.some((letter) => choices[letter]);
  return {
    title: sample.title,
    study: sample.path,
    question: {
      question: options.question ?? suggested?.question ?? 'Where is the lesion?',
      options: given ? choices : (suggested?.options ?? {}),
      expected: options.expected,
    },
  };
}

/** Traces of an earlier attempt; a file that is none is passed over, for its run is only carried out again. */
function tracesIn(folder: string): Trace[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^(volume|slice-\d+)\.json$/.test(name))
    .flatMap((name) => {
      const file = join(folder, name);
      try {
        return [parseTrace(readFileSync(file, 'utf8'), file)];
      } catch (thrown) {
        note(`not taken: ${toReadroomError(thrown).message}`);
        return [];
      }
    });
}
