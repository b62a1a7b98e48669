/** `ask STUDY`: a question about any study that Readroom can open, serialised anatomically, with the reasoning streamed. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { OptionLetter } from '../../../src-contract/run-events.ts';
import { summarizeEvents } from '../../../src-contract/trace.ts';
import { prepareStudyInput } from '../../runs/prepare-study.ts';
import { runQuestion } from '../../runs/question-run.ts';
import { openStudy } from '../../study/open-study.ts';
import { interruptSignal, withEngine } from '../engine-session.ts';
import { type ChoiceOptions, choicesOf, type GenerationOptions, type ModelOptions } from '../options.ts';
import { ReasoningPrinter } from '../reasoning-printer.ts';
import { runSettings } from '../run-settings.ts';
import { note, progress } from '../terminal.ts';

export interface AskOptions extends ModelOptions, Omit<GenerationOptions, 'tokensPerRound'>, ChoiceOptions {
  question: string;
  tokensPerRound?: number;
  series?: string;
  slice?: number;
  expected?: OptionLetter;
  window?: { center: number; width: number };
  trace?: string;
  events: boolean;
  json: boolean;
}

export async function runAsk(path: string, options: AskOptions): Promise<void> {
  const signal = interruptSignal();
  const bar = progress('Opening');
  const study = await openStudy([path], {
    signal,
    onProgress: ({ done, total }) => {
      if (!options.quiet) bar.update(done, total);
    },
  });
  bar.stop();
  // Without any image the reason is the command's own error.
  if (!options.quiet && study.study.series.length > 0) {
    for (const { error } of study.study.problems) note(`not read: ${error.message}`);
  }
  const input = await prepareStudyInput(study, {
    series: options.series,
    slice: options.slice,
    window: options.window,
    signal,
  });
  if (!options.quiet) {
    note(input.title);
    for (const warning of input.warnings) note(`  ${warning}`);
  }
  const settings = runSettings({
    ...options,
    tokensPerRound: options.tokensPerRound ?? (input.mode === '3d' ? 128 : 256),
  });
  const question = {
    question: options.question,
    options: choicesOf(options),
    expected: options.expected,
  };
  const printer = new ReasoningPrinter((text) => process.stdout.write(text), options.quiet);
  const { trace, outcome } = await withEngine(options, signal, ({ engine }) =>
    runQuestion(engine, input, question, settings, {
      signal,
      traceFile: options.trace,
      onEvent: (event) => {
        if (options.events) process.stdout.write(`${JSON.stringify(event)}\n`);
        else if (!options.json) printer.print(event);
      },
    }),
  );
  if (options.json) {
    const { steps, answer, finished } = summarizeEvents(trace.events);
    const boxes = steps.map(({ box }) => ({ raw: box.raw, clamped: box.clamped, ...box.located }));
    const result = {
      study: path,
      question: options.question,
      synthetic: trace.synthetic,
      answer: answer?.text ?? null,
      answers: answer?.answers ?? null,
      boxes,
      stopReason: outcome.stopReason,
      response: outcome.response,
      timings: finished?.timings ?? null,
      notice: trace.notice,
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  }
  if (outcome.stopReason === 'failed') {
    throw outcome.error
      ? ReadroomError.fromPayload(outcome.error)
      : new ReadroomError('engine-failed', 'The run failed.');
  }
  if (outcome.stopReason === 'cancelled') throw new ReadroomError('cancelled', 'The run was stopped.');
}
