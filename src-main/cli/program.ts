/** The command line: names, flags and help. What a command does is in commands/. */
import { Command, Option } from 'commander';
import { exportFormats } from '../../src-contract/project.ts';
import { precisions, presets } from '../../src-contract/run-events.ts';
import { researchNotice } from '../../src-contract/trace.ts';
import { appVersion } from '../runs/version.ts';
import { runAgree } from './commands/agree.ts';
import { runArchive } from './commands/archive.ts';
import { runAsk } from './commands/ask.ts';
import { run2dBatch, run3dBatch } from './commands/batch.ts';
import { runCompare } from './commands/compare.ts';
import { runConvert } from './commands/convert.ts';
import { runDoctor } from './commands/doctor.ts';
import { runAblate, runEvaluate } from './commands/evaluate.ts';
import { runExport } from './commands/export.ts';
import { runFigure } from './commands/figure.ts';
import { runImport } from './commands/import.ts';
import { runInspect } from './commands/inspect.ts';
import { runMerge } from './commands/merge.ts';
import { runModels } from './commands/models.ts';
import { runProject } from './commands/project.ts';
import { run2d, run3d } from './commands/single.ts';
import {
  addChoiceOptions,
  addGenerationOptions,
  addModelOptions,
  addOutputOptions,
  displayWindow,
  expectedOption,
  exportFormatList,
  presetList,
  targetSize,
  wholeNumber,
} from './options.ts';

function addVolumeOptions(command: Command): Command {
  return command
    .option('--target-size <D,H,W>', 'slices, rows and columns the model gets', targetSize, [32, 256, 256])
    .addOption(
      new Option('--normalize <how>', 'values to 8 bit')
        .choices(['percentile', 'minmax'])
        .default('percentile'),
    );
}

export function buildProgram(): Command {
  const program = new Command('readroom')
    .description(
      `Grounded reasoning of UniReason-Med on CT, MR and X-ray, on this machine. ${researchNotice}`,
    )
    .version(appVersion(), '--version')
    .showHelpAfterError('(--help shows what is allowed)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 internal error, 2 wrong usage, 3 input, 4 model, 5 engine, 130 stopped.\n' +
        "2d, 3d, 2d-batch and 3d-batch take the reference script's flags and write its files\n" +
        '(serialization: reference); ask takes any study and serialises it anatomically.',
    );

  const ask = program
    .command('ask')
    .argument('<study>', 'file, folder or zip: DICOM, NIfTI, MetaImage, NRRD, npy, npz, PNG, JPEG, TIFF')
    .description(
      'ask about a study and watch the reasoning; boxes are given in voxels and patient millimetres',
    )
    .requiredOption('--question <text>', 'the question')
    .option('--series <id>', 'which series (default: the largest volume)')
    .option('--slice <n>', 'ask about this one slice, as a 2D image', wholeNumber(0))
    .option('--window <center,width>', 'display window of a 2D image', displayWindow)
    .addOption(expectedOption())
    .option('--json', 'print the result as JSON', false);
  addOutputOptions(addChoiceOptions(addGenerationOptions(addModelOptions(ask), 128)));
  ask.action((study: string, options) =>
    runAsk(study, {
      ...options,
      tokensPerRound:
        ask.getOptionValueSource('tokensPerRound') === 'cli' ? options.tokensPerRound : undefined,
    }),
  );

  const two = program
    .command('2d')
    .description("one 2D image, as the reference's script")
    .requiredOption('--image <file>', 'PNG, JPEG or TIFF')
    .requiredOption('--question <text>', 'the question')
    .option('--output <file>', 'write the result (JSON) there');
  addOutputOptions(addChoiceOptions(addGenerationOptions(addModelOptions(two), 256))).action(run2d);

  const three = program
    .command('3d')
    .description("one 3D volume, as the reference's script")
    .requiredOption('--volume <file>', '.npy, .npz, .nii or .nii.gz')
    .requiredOption('--question <text>', 'the question')
    .option('--output <file>', 'write the result (JSON) there');
  addVolumeOptions(
    addOutputOptions(addChoiceOptions(addGenerationOptions(addModelOptions(three), 128))),
  ).action(run3d);

  const twoBatch = program
    .command('2d-batch')
    .description('a table of 2D examples; a rerun continues where it was stopped')
    .requiredOption('--input <file>', 'JSON list or JSONL: question, image_path, option_A..D')
    .option('--image-root <folder>', 'what image_path is relative to')
    .requiredOption('--output <file>', 'JSON list');
  const threeBatch = program
    .command('3d-batch')
    .description('a table of 3D examples; a rerun continues where it was stopped')
    .requiredOption('--input-csv <file>', 'CSV: Image Path, Question, Choice A..D')
    .option('--data-root <folder>', 'what Image Path is relative to')
    .requiredOption('--output <file>', 'JSONL');
  for (const batch of [twoBatch, threeBatch]) {
    batch
      .option('--max-samples <n>', 'only the first n', wholeNumber(0))
      .option('--traces <folder>', 'write one trace a record there')
      .option('--events', 'print each RunEvent as one JSON line on stdout', false);
  }
  addGenerationOptions(addModelOptions(twoBatch), 256).action(run2dBatch);
  addVolumeOptions(addGenerationOptions(addModelOptions(threeBatch), 128)).action(run3dBatch);

  program
    .command('evaluate')
    .argument('<predictions...>', 'outputs of 2d-batch or 3d-batch over one table: FILE, or NAME=FILE')
    .description(
      'answers, rewards and boxes with intervals, by kind of question; each batch against the first',
    )
    .option('--json', 'print all of it as JSON', false)
    .action(runEvaluate);

  const ablate = program
    .command('ablate')
    .description('run a table with every preset, then evaluate; a rerun continues where it was stopped')
    .option('--input <file>', 'table of 2d-batch, with answers (and boxes)')
    .option('--image-root <folder>', 'what image_path is relative to')
    .option('--input-csv <file>', 'table of 3d-batch, with Answer (and Boxes)')
    .option('--data-root <folder>', 'what Image Path is relative to')
    .requiredOption('--out <folder>', 'outputs and traces of every preset')
    .option('--presets <list>', 'the first one is what the others are compared with', presetList, [
      ...presets,
    ])
    .option('--max-samples <n>', 'only the first n', wholeNumber(0))
    .option('--json', 'print all of it as JSON', false);
  addVolumeOptions(addGenerationOptions(addModelOptions(ablate), 256, { preset: false }));
  ablate.action((options) =>
    runAblate({
      ...options,
      // The reference's: 256 tokens a round in 2D, 128 in 3D.
      tokensPerRound:
        ablate.getOptionValueSource('tokensPerRound') === 'cli' || options.input !== undefined
          ? options.tokensPerRound
          : 128,
    }),
  );

  program
    .command('compare')
    .argument('<a>', 'trace of a run (--trace of ask, 2d, 3d; or saved by the window)')
    .argument('<b>', 'trace of another run')
    .description('two runs beside each other: words, boxes, rewards, timings, and what was asked differently')
    .option('--json', 'print the comparison as JSON', false)
    .action(runCompare);

  program
    .command('agree')
    .argument('<project>', 'project file (.readroom)')
    .description(
      'how far the readers of a project agree: kappa and boxes, with intervals; disagreements first',
    )
    .option('--json', 'print all of it as JSON', false)
    .action(runAgree);

  const figure = program
    .command('figure')
    .argument('[study]', 'a study with a volume; or --sample')
    .description(
      "the paper's figure of one case: the question on the volume, then on each slice of the cuboid as a 2D image",
    )
    .option('--sample', 'the bundled case, with its first question unless another is given', false)
    .option('--question <text>', 'the question')
    .option('--title <text>', 'heading (default: modality and size; nothing that may name a patient)')
    .requiredOption('--out <files...>', 'figure.svg, figure.png, figure.pdf: one or several')
    .option('--series <id>', 'which series (default: the largest volume)')
    .option('--slice <n>', 'which slice is shown large (default: the middle one)', wholeNumber(0))
    .option('--every <n>', 'ask on every n-th slice of the cuboid only', wholeNumber(1), 1)
    .option('--window <center,width>', 'display window of the slices', displayWindow)
    .addOption(expectedOption())
    .option('--dpi <n>', 'resolution of the PNG at 180 mm width', wholeNumber(50), 600)
    .option('--traces <folder>', 'keep the traces there; a rerun goes on from them')
    .option('--json', 'print the curve as JSON', false);
  addChoiceOptions(addGenerationOptions(addModelOptions(figure), 128));
  figure.action((study: string | undefined, options) =>
    runFigure(study, {
      ...options,
      tokensPerRound:
        figure.getOptionValueSource('tokensPerRound') === 'cli' ? options.tokensPerRound : undefined,
    }),
  );

  program
    .command('import')
    .argument('<files...>', 'traces (.json), projects (.readroom), archives (.readroom.zip)')
    .description('take traces and projects into a project; the same again changes nothing')
    .requiredOption('--project <file>', 'the project; made where there is none')
    .option('--json', 'print the result as JSON', false)
    .option('--quiet', 'no progress and no notes', false)
    .action(runImport);

  program
    .command('merge')
    .argument('<projects...>', 'projects or archives')
    .description('projects of several machines into one; without --out into the first')
    .option('--out <file>', 'a new project; the others stay as they are')
    .option('--json', 'print the result as JSON', false)
    .option('--quiet', 'no progress and no notes', false)
    .action(runMerge);

  program
    .command('archive')
    .argument('<project>', 'the project')
    .argument('<out>', 'the archive (.readroom.zip)')
    .description('a project as one file, to be taken into another with import')
    .option('--pixels', 'with the images, without what says whose they are', false)
    .option('--json', 'print the result as JSON', false)
    .option('--quiet', 'no progress and no notes', false)
    .action(runArchive);

  program
    .command('project')
    .argument('<project>', 'the project')
    .description('cases, runs and readers of a project, and whether its log adds up')
    .option('--text <words>', 'only cases with these words')
    .option('--json', 'print JSON', false)
    .action(runProject);

  program
    .command('convert')
    .argument('<source>', 'Hugging Face folder of a Qwen2.5-VL checkpoint, or a bundled model')
    .argument('<out>', 'folder for the container')
    .description('convert a checkpoint for ONNX Runtime; resumes where it was cut')
    .addOption(
      new Option('--precision <precision>', 'auto: int4 above 2 GB, else fp32')
        .choices(['auto', ...precisions])
        .default('auto'),
    )
    .option('--json', 'print the result as JSON', false)
    .option('--quiet', 'no progress', false)
    .action(runConvert);

  program
    .command('export')
    .argument('<inputs...>', 'traces (JSON), as ask --trace writes them, or one project (.readroom)')
    .description('write runs in the formats of other tools; docs/exports.md says what each holds')
    .requiredOption(
      '--format <list>',
      `by commas, or all: ${Object.keys(exportFormats).join(', ')}`,
      exportFormatList,
    )
    .requiredOption('--out <folder>', 'one folder a format is made in it')
    .option('--review <file>', "a reader's corrections (NAME.review.json) to lay over the one trace given")
    .option('--reader <name>', 'of a project: whose corrections to lay over its runs (default: nobody’s)')
    .option('--case <id>', 'of a project: only this case, by id or title')
    .option('--source <paths...>', 'where the pixels are now, if not where they were')
    .option('--identifiers', 'write titles, paths, names and dates that may say who the patient is', false)
    .option('--replace', 'take the place of an export that is there', false)
    .option('--json', 'print the result as JSON', false)
    .option('--quiet', 'no progress and no notes', false)
    .action(runExport);

  program
    .command('inspect')
    .argument('<files...>', 'image files')
    .description('what is in image files: sizes and stored values; a bad file is reported, never fatal')
    .option('--json', 'print a JSON array', false)
    .action(runInspect);

  program
    .command('models')
    .description('models that are here, and which of them are converted')
    .option('--json', 'print JSON', false)
    .action(runModels);

  program
    .command('doctor')
    .description('providers, memory, versions, and what is missing')
    .option('--json', 'print JSON', false)
    .action(runDoctor);

  return program;
}
