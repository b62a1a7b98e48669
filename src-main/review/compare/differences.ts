/** What differs in how two runs were asked: the things a reader must know before comparing what they said. */
import { type Options, optionLetters } from '../../../src-contract/run-events.ts';
import { summarizeEvents, type Trace } from '../../../src-contract/trace.ts';
import { targetOf } from './run-target.ts';

export interface Difference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

/** In words; '–' where a run does not say (it ended before it began, or has no such thing). */
export function differencesOf(a: Trace, b: Trace): Difference[] {
  const [factsA, factsB] = [factsOf(a), factsOf(b)];
  return Object.keys(factsA)
    .map((what) => ({ what, a: factsA[what] ?? unsaid, b: factsB[what] ?? unsaid }))
    .filter((difference) => difference.a !== difference.b);
}

const unsaid = '–';

function factsOf(trace: Trace): Record<string, string | undefined> {
  const { started } = summarizeEvents(trace.events);
  const { sampling, limits, model } = started ?? {};
  return {
    Question: trace.question,
    Choices: choicesInWords(trace.options),
    'Right answer': trace.expected ?? undefined,
    Target: targetInWords(trace),
    Series: trace.series?.id ?? trace.sources.map(({ sha256 }) => sha256.slice(0, 12)).join(', '),
    Serialization: trace.chain.serialization,
    'Model grid': trace.chain.gridSize.join(' x '),
    'Image size': trace.chain.processorSize.slice(0, 2).join(' x '),
    Normalization: trace.normalization ?? 'as it is',
    Preset: started?.preset,
    'System prompt': started?.systemPrompt,
    Model: model && `${model.name} (${model.modelHash.slice(0, 12)})`,
    Precision: model?.precision,
    Provider: model?.provider,
    'Image processor': model?.imageProcessor,
    Temperature: sampling && (sampling.temperature === 0 ? 'greedy' : String(sampling.temperature)),
    // Without sampling these and the seed decide nothing, but for random crops.
    'Top-p': sampling && sampling.temperature > 0 ? String(sampling.topP) : undefined,
    'Top-k': sampling && sampling.temperature > 0 ? String(sampling.topK) : undefined,
    'Repetition penalty': sampling && String(sampling.repetitionPenalty),
    Seed:
      sampling && (sampling.temperature > 0 || started?.preset === 'random-crop')
        ? String(sampling.seed)
        : undefined,
    'New tokens': limits && `at most ${limits.maxNewTokens}`,
    Rounds: limits && `at most ${limits.maxRounds}`,
    'Tokens a round': limits && `at most ${limits.tokensPerRound}`,
    Readroom: trace.app.version,
  };
}

/** Slices are numbered from 1 for people, as viewers do. */
export function targetInWords(trace: Trace): string {
  const target = targetOf(trace);
  switch (target.kind) {
    case 'volume':
      return 'the volume';
    case 'slice':
      return `slice ${target.slice + 1} of ${trace.chain.sourceSize[target.axis]}`;
    case 'image':
      return 'the image';
  }
}

const choicesInWords = (options: Options): string =>
  optionLetters
    .filter((letter) => options[letter])
    .map((letter) => `${letter}. ${options[letter]}`)
    .join(' · ') || 'none';
