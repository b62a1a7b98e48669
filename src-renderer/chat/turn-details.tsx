/** How an answer came about: one line at hand, the rest behind it. */
import type { ReactNode } from 'react';
import type { Run } from '../state/run-store.ts';
import { formatDuration } from '../ui/format.ts';
import { providerNames } from '../ui/provider-names.ts';
import { answerRules } from './answer-text.ts';
import { shortened } from './shortened.ts';
import { presetNames } from './wording.ts';

function summaryOf({ started, finished, rounds }: Run): string {
  if (!started || !finished) return 'Details';
  const { firstTokenMs, tokensPerSecond } = finished.timings;
  return [
    firstTokenMs === null ? null : `first token ${formatDuration(firstTokenMs)}`,
    tokensPerSecond === null ? null : `${tokensPerSecond.toFixed(1)} tokens/s`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`,
    `${started.model.precision} · ${providerNames[started.model.provider]}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function TurnDetails({ run }: { run: Run }) {
  const { started, finished, answer, ask } = run;
  if (!started) return null;
  const { model, sampling, limits } = started;
  const timings = finished?.timings;
  const greedy = sampling.temperature === 0;
  return (
    <details className="turn-details" data-testid="run-details">
      <summary className="small dim">{summaryOf(run)}</summary>
      <dl className="facts">
        {timings && (
          <Fact name="Time">
            images {formatDuration(timings.visionMs)}, question {formatDuration(timings.prefillMs)}, writing{' '}
            {formatDuration(timings.decodeMs)}, in all {formatDuration(timings.totalMs)}
          </Fact>
        )}
        <Fact name="Model">{model.name}</Fact>
        <Fact name="Model hash">
          <code>{model.modelHash}</code>
        </Fact>
        <Fact name="Runs on">
          {providerNames[model.provider]}, {model.precision}, images by {model.imageProcessor}
        </Fact>
        <Fact name="Sampling">
          {greedy
            ? 'greedy'
            : `temperature ${sampling.temperature}, top-p ${sampling.topP}, top-k ${sampling.topK || 'off'}, seed ${sampling.seed}`}
          {sampling.repetitionPenalty !== 1 && `, repetition penalty ${sampling.repetitionPenalty}`}
        </Fact>
        <Fact name="Limits">
          {limits.maxNewTokens} tokens, {limits.tokensPerRound} a round, {limits.maxRounds} rounds
        </Fact>
        <Fact name="Preset">{presetNames[ask.preset].name}</Fact>
        {answer && (
          <Fact name="Answer rules">
            {answerRules(answer.answers)
              .map(({ name, letter }) => `${name.toLowerCase()} ${letter ?? 'none'}`)
              .join(', ')}
            , format {answer.answers.formatReward}
          </Fact>
        )}
      </dl>
      <Prompt title="System prompt" text={started.systemPrompt} />
      <Prompt title="Question as the model reads it" text={started.promptText} />
      {finished?.response && (
        <Prompt title="Response, special tokens included" text={shortened(finished.response)} />
      )}
    </details>
  );
}

function Prompt({ title, text }: { title: string; text: string }) {
  return (
    <details className="prompt">
      <summary className="small dim">{title}</summary>
      <pre>{text}</pre>
    </details>
  );
}
