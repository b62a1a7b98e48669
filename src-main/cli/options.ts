/** Options that several commands share, and the parsers that refuse bad values with the value and what is allowed. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ReadroomError } from '../../src-contract/errors.ts';
import { type ExportFormat, exportFormatSchema, exportFormats } from '../../src-contract/project.ts';
import { optionLetters, type Preset, precisions, presets, providers } from '../../src-contract/run-events.ts';

export function wholeNumber(minimum: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`expected a whole number of at least ${minimum}, got '${text}'.`);
    }
    return value;
  };
}

export function realNumber(minimum: number, maximum: number, exclusiveMinimum = false) {
  return (text: string): number => {
    const value = Number(text);
    const low = exclusiveMinimum ? value > minimum : value >= minimum;
    if (text.trim() === '' || !Number.isFinite(value) || !low || value > maximum) {
      throw new InvalidArgumentError(
        `expected a number ${exclusiveMinimum ? 'above' : 'from'} ${minimum} to ${maximum}, got '${text}'.`,
      );
    }
    return value;
  };
}

/** 'D,H,W' of the reference's --target-size. */
export function targetSize(text: string): [number, number, number] {
  const parts = text.split(',').map((part) => Number(part.trim()));
  if (parts.length !== 3 || parts.some((part) => !Number.isSafeInteger(part) || part < 1 || part > 4096)) {
    throw new InvalidArgumentError(`expected D,H,W as whole numbers from 1 to 4096, got '${text}'.`);
  }
  return [parts[0], parts[1], parts[2]];
}

/** 'CENTER,WIDTH' in the image's own units. */
export function displayWindow(text: string): { center: number; width: number } {
  const [center, width, ...rest] = text.split(',').map(Number);
  if (rest.length > 0 || !Number.isFinite(center) || !Number.isFinite(width) || width <= 0) {
    throw new InvalidArgumentError(`expected CENTER,WIDTH with WIDTH above 0, got '${text}'.`);
  }
  return { center, width };
}

/** 'coco,csv', or 'all'. */
export function exportFormatList(text: string): ExportFormat[] {
  const all = Object.keys(exportFormats) as ExportFormat[];
  if (text === 'all') return all;
  return text.split(',').map((part) => {
    const parsed = exportFormatSchema.safeParse(part.trim());
    if (parsed.success) return parsed.data;
    throw new InvalidArgumentError(`'${part.trim()}' is none of ${all.join(', ')}, all.`);
  });
}

export interface ModelOptions {
  modelPath: string;
  precision: string;
  provider: string;
  device: string;
  deviceMap: string;
  torchDtype: string;
  threads?: number;
  quiet: boolean;
}

export interface GenerationOptions {
  maxNewTokens: number;
  maxRounds: number;
  tokensPerRound: number;
  temperature: number;
  topP: number;
  topK?: number;
  seed: number;
  preset: Preset;
}

export interface ChoiceOptions {
  optionA: string;
  optionB: string;
  optionC: string;
  optionD: string;
}

/** The reference's model options, and ours beside them. */
export function addModelOptions(command: Command): Command {
  return command
    .option(
      '--model-path <folder>',
      'Hugging Face checkpoint folder, converted container, or a bundled model',
      'readroom-mini',
    )
    .addOption(
      new Option('--precision <precision>', 'weights in the container; auto: int4 above 2 GB, else fp32')
        .choices(['auto', ...precisions])
        .default('auto'),
    )
    .addOption(
      new Option('--provider <provider>', 'ONNX Runtime execution provider; auto: the best one that loads')
        .choices(['auto', ...providers])
        .default('auto'),
    )
    .option('--threads <n>', 'CPU threads (default: physical cores)', wholeNumber(1))
    .addOption(new Option('--device <device>', "the reference's: auto, cpu, cuda, cuda:0").default('auto'))
    .addOption(new Option('--device-map <map>', "the reference's; without effect here").default('auto'))
    .addOption(
      new Option(
        '--torch-dtype <dtype>',
        "the reference's: float32 and float16 choose the precision",
      ).default('auto'),
    )
    .option('--quiet', 'no progress and no notes', false);
}

export function addGenerationOptions(
  command: Command,
  tokensPerRound: number,
  { preset = true } = {},
): Command {
  command
    .option('--max-new-tokens <n>', 'new tokens in all', wholeNumber(1), 512)
    .option('--max-rounds <n>', 'rounds of looking', wholeNumber(1), 10)
    .option('--tokens-per-round <n>', 'new tokens in one round', wholeNumber(1), tokensPerRound)
    .option('--temperature <t>', '0 is greedy', realNumber(0, 100), 0)
    .option('--top-p <p>', 'nucleus sampling', realNumber(0, 1, true), 1)
    .option('--top-k <k>', "0 is off (default: the checkpoint's)", wholeNumber(0))
    .option('--seed <n>', 'seed of sampling and of random crops', wholeNumber(0), 0);
  if (!preset) return command;
  return command.addOption(
    new Option('--preset <preset>', 'ablation: what happens at a box')
      .choices([...presets])
      .default('grounded'),
  );
}

export function addChoiceOptions(command: Command): Command {
  return command
    .option('--option-a <text>', 'choice A', '')
    .option('--option-b <text>', 'choice B', '')
    .option('--option-c <text>', 'choice C', '')
    .option('--option-d <text>', 'choice D', '');
}

/** 'grounded,text-only'. */
export function presetList(text: string): Preset[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  return names.map((name) => {
    const preset = presets.find((each) => each === name);
    if (!preset) throw new InvalidArgumentError(`'${name}' is none of ${presets.join(', ')}.`);
    return preset;
  });
}

/** For commands whose traces say whether the answer was right. */
export const expectedOption = (): Option =>
  new Option('--expected <letter>', 'the right answer, for the reward').choices([...optionLetters]);

export function addOutputOptions(command: Command): Command {
  return command
    .option('--trace <file>', 'write the whole trace (JSON) there')
    .option('--events', 'print each RunEvent as one JSON line on stdout as it happens', false);
}

export function choicesOf(options: ChoiceOptions): Record<'A' | 'B' | 'C' | 'D', string> {
  return { A: options.optionA, B: options.optionB, C: options.optionC, D: options.optionD };
}

/** Joins our --provider with the reference's --device. */
export function providerWish(options: ModelOptions): (typeof providers)[number] | 'auto' {
  if (options.provider !== 'auto') return options.provider as (typeof providers)[number];
  const device = options.device.toLowerCase();
  if (device === 'auto') return 'auto';
  if (device === 'cpu') return 'cpu';
  if (/^cuda(:\d+)?$/.test(device)) return 'cuda';
  throw new ReadroomError('input-invalid', `--device '${options.device}' is not known here.`, {
    remedy: `Use auto, cpu or cuda; or choose with --provider ${providers.join(' | ')}.`,
  });
}

/** Joins our --precision with the reference's --torch-dtype. */
export function precisionWish(options: ModelOptions): (typeof precisions)[number] | 'auto' {
  if (options.precision !== 'auto') return options.precision as (typeof precisions)[number];
  switch (options.torchDtype.toLowerCase()) {
    case 'auto':
    // bfloat16 has no container of its own: fp32 holds every bfloat16 value exactly, int4 is the choice for size.
    case 'bfloat16':
    case 'bf16':
      return 'auto';
    case 'float16':
    case 'fp16':
      return 'fp16';
    case 'float32':
    case 'fp32':
      return 'fp32';
    default:
      throw new ReadroomError('input-invalid', `--torch-dtype '${options.torchDtype}' is not known.`, {
        remedy: 'Use auto, bfloat16, float16 or float32; or choose with --precision fp32 | fp16 | int4.',
      });
  }
}
