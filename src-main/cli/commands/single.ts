/** `2d` and `3d`: one example, with the flags and the output file of the reference's script. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { extractAnswerChoice } from '../../engine/grounding/answers.ts';
import { prepareReferenceImage, prepareReferenceVolume } from '../../runs/prepare-reference.ts';
import type { PreparedInput } from '../../runs/prepared-input.ts';
import { runQuestion } from '../../runs/question-run.ts';
import { interruptSignal, withEngine } from '../engine-session.ts';
import { type ChoiceOptions, choicesOf, type GenerationOptions, type ModelOptions } from '../options.ts';
import { pythonJsonIndented } from '../python-json.ts';
import { describeStop } from '../reasoning-printer.ts';
import { runSettings } from '../run-settings.ts';
import { note } from '../terminal.ts';

export interface SingleOptions extends ModelOptions, GenerationOptions, ChoiceOptions {
  question: string;
  output?: string;
  trace?: string;
  events: boolean;
}

export interface VolumeOptions {
  targetSize: [number, number, number];
  normalize: 'percentile' | 'minmax';
}

export async function run2d(options: SingleOptions & { image: string }): Promise<void> {
  const input = await prepareReferenceImage(options.image);
  await runSingle(options, input, { image: options.image });
}

export async function run3d(options: SingleOptions & VolumeOptions & { volume: string }): Promise<void> {
  const input = await prepareReferenceVolume(options.volume, options);
  await runSingle(options, input, { volume: options.volume });
}

async function runSingle(
  options: SingleOptions,
  input: PreparedInput,
  subject: { image: string } | { volume: string },
): Promise<void> {
  const signal = interruptSignal();
  const { outcome } = await withEngine(options, signal, ({ engine }) =>
    runQuestion(
      engine,
      input,
      { question: options.question, options: choicesOf(options) },
      runSettings(options),
      {
        signal,
        traceFile: options.trace,
        onEvent: (event) => {
          if (options.events) process.stdout.write(`${JSON.stringify(event)}\n`);
        },
      },
    ),
  );
  if (outcome.stopReason === 'failed') {
    throw outcome.error
      ? ReadroomError.fromPayload(outcome.error)
      : new ReadroomError('engine-failed', 'The run failed.');
  }
  if (outcome.stopReason === 'cancelled') throw new ReadroomError('cancelled', 'The run was stopped.');
  const { response } = outcome;
  if (options.output) {
    mkdirSync(dirname(options.output), { recursive: true });
    const result = {
      ...subject,
      question: options.question,
      response,
      prediction: extractAnswerChoice(response),
    };
    writeFileSync(options.output, pythonJsonIndented(result));
  }
  if (!options.events) process.stdout.write(`${response}\n`);
  if (!options.quiet && outcome.stopReason !== 'end-of-turn') note(describeStop(outcome.stopReason));
}
