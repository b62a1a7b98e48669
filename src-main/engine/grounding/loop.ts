/**
 * The grounded loop: generate until the model closes a box, show it what is in the box, go on. One loop for images and
 * volumes. Stop conditions, limits and their order are the reference's; the work is not: the reference encodes every
 * image and prefills the whole conversation again in every round, here the KV cache keeps what is common.
 * Source of behaviour: IQuestLab/unireason-med code/inference/unireason_med_infer.py (_generate_with_grounding,
 * generate_2d, generate_3d) at 77f447b.
 */
import type { RunOutcome, RunRequest } from '../../../src-contract/engine-protocol.ts';
import { type ErrorPayload, type ReadroomError, toReadroomError } from '../../../src-contract/errors.ts';
import { locateBox } from '../../../src-contract/geometry.ts';
import type { RunEvent, RunEventOf, Sampling, StopReason } from '../../../src-contract/run-events.ts';
import type { Random } from '../../slices/random-box.ts';
import { seededRandom } from '../decode/random.ts';
import type { ImageFeatures, ImagePixels, Segment, VisionLanguageModel } from '../language-model.ts';
import { engineError } from '../model/session-run.ts';
import { flatIds } from '../tokenizer/segments.ts';
import { finalText, readAnswers } from './answers.ts';
import { lastBox } from './boxes.ts';
import { assistantResponse, Conversation } from './conversation.ts';
import { type Crop, Cropper, checkChain, describeCrop } from './crops.ts';
import { modelFacts } from './model-facts.ts';
import { chooseCrop, suppressedTokens } from './presets.ts';
import { openingMessages, systemPrompts } from './prompts.ts';
import { generateRound, type RoundEnd } from './round.ts';
import { Stopwatch } from './stopwatch.ts';
import { createTokenSource, type TokenSource } from './token-source.ts';

type Unstamped<E> = E extends RunEvent ? Omit<E, 'at'> : never;
type Send = (event: Unstamped<RunEvent>) => void;

/**
 * Runs one question to its end. Never throws for what can go wrong in a run: a failure or a cancel is an outcome, and
 * `run-finished` is always the last event.
 * @param request checked against `runRequestSchema`
 * @param emit gets every event in order, as it happens
 * @param signal ends the run between two tokens or two prefill chunks, with stop reason 'cancelled'
 */
export async function runGrounded(
  model: VisionLanguageModel,
  request: RunRequest,
  emit: (event: RunEvent) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<RunOutcome> {
  const watch = new Stopwatch();
  const send: Send = ({ type, ...rest }) => emit({ type, at: watch.now(), ...rest } as RunEvent);
  const run = new GroundedRun(model, request, send, signal, watch);
  let stopReason: StopReason;
  let error: ErrorPayload | undefined;
  try {
    stopReason = await run.go();
  } catch (thrown) {
    const failure = engineError(thrown, toReadroomError(thrown).message);
    stopReason = run.stopReasonOf(failure);
    if (stopReason === 'failed') error = failure.toPayload();
  }
  run.closeRound(stopReason);
  // The reference's run that raises has no response.
  const response = stopReason === 'failed' ? '' : run.response();
  if (stopReason !== 'failed' && stopReason !== 'cancelled') {
    send({ type: 'answer', text: finalText(response), answers: readAnswers(response, request.options) });
  }
  const end = { stopReason, response, newTokens: run.newTokens, ...(error ? { error } : {}) };
  send({ type: 'run-finished', ...end, timings: watch.timings() });
  return { ...end, rounds: run.rounds };
}

class GroundedRun {
  newTokens = 0;
  rounds = 0;

  readonly #model: VisionLanguageModel;
  readonly #request: RunRequest;
  readonly #send: Send;
  readonly #signal: AbortSignal;
  readonly #watch: Stopwatch;
  readonly #sampling: Sampling;
  readonly #tokens: TokenSource;
  readonly #random: Random;
  readonly #conversation: Conversation;
  /** Every image of the conversation in order: the study's, then the crops. */
  readonly #images: ImagePixels[];
  #features: ImageFeatures[] = [];
  /** What the model has been given, and what it has answered in the round under way. */
  #prompt: readonly number[] = [];
  #generated: number[] = [];
  #boxes = 0;
  #openRound: number | null = null;
  #started = false;

  constructor(
    model: VisionLanguageModel,
    request: RunRequest,
    send: Send,
    signal: AbortSignal,
    watch: Stopwatch,
  ) {
    this.#model = model;
    this.#request = request;
    this.#send = send;
    this.#signal = signal;
    this.#watch = watch;
    this.#sampling = {
      temperature: request.sampling.temperature,
      topP: request.sampling.topP,
      topK: request.sampling.topK ?? model.generation.topK,
      repetitionPenalty: request.sampling.repetitionPenalty ?? model.generation.repetitionPenalty,
      seed: request.sampling.seed,
    };
    this.#tokens = createTokenSource(
      this.#sampling,
      suppressedTokens(request.preset, model.tokenizer.specials),
      request.forcedTokens,
    );
    this.#random = seededRandom(request.sampling.seed);
    this.#images = [...request.images];
    const systemPrompt = request.systemPrompt ?? systemPrompts[request.mode];
    const opening = openingMessages(systemPrompt, this.#images.length, request.promptText);
    this.#conversation = new Conversation(model.tokenizer, opening);
  }

  async go(): Promise<StopReason> {
    this.#announce();
    const { images, chain } = this.#request;
    const size = this.#model.imageProcessor.referenceAlignedSize(images[0].width, images[0].height);
    const cropper = new Cropper(images, size);
    checkChain(chain, cropper.space);
    this.#features = await this.#encode(this.#images);
    let segments = this.#conversation.segments(this.#features);
    for (let round = 0; ; round++) {
      const logits = await this.#prefill(segments, round);
      const end = await this.#generate(round, logits);
      if (end !== 'box-end') return this.#finishRound(end);
      const text = this.#model.tokenizer.decode(this.#generated);
      const raw = lastBox(text);
      if (raw === null) return this.#finishRound('invalid-box');
      const next = await this.#answerBox(round, text, raw, cropper);
      if (typeof next === 'string') return next;
      segments = next;
    }
  }

  /** What an error in mid-run means for the run. */
  stopReasonOf(failure: ReadroomError): StopReason {
    if (failure.code === 'cancelled' || this.#signal.aborted) return 'cancelled';
    return failure.code === 'context-too-long' && this.#started ? 'context-limit' : 'failed';
  }

  /** Ends a round that an error or a cancel left open. */
  closeRound(reason: StopReason): void {
    if (this.#openRound === null) return;
    if (reason === 'cancelled' || reason === 'context-limit') this.#finishRound(reason);
    else this.#finishRound('failed');
  }

  response(): string {
    return assistantResponse(this.#model.tokenizer.decode([...this.#prompt, ...this.#generated]));
  }

  #announce(): void {
    const { runId, mode, preset, promptText, limits } = this.#request;
    this.#send({
      type: 'run-started',
      runId,
      mode,
      preset,
      systemPrompt: this.#request.systemPrompt ?? systemPrompts[mode],
      promptText,
      rendered: this.#renderOrNothing(),
      model: modelFacts(this.#model),
      sampling: this.#sampling,
      limits,
    });
  }

  /** A template that fails does so again, and visibly, when the prompt is made: after the run has started. */
  #renderOrNothing(): string {
    try {
      return this.#conversation.render();
    } catch {
      return '';
    }
  }

  async #encode(images: readonly ImagePixels[]): Promise<ImageFeatures[]> {
    const { features, cached } = await this.#watch.measure('vision', () =>
      this.#model.encodeImages(images, {
        signal: this.#signal,
        fresh: this.#request.reencode,
        onProgress: this.#progress('vision'),
      }),
    );
    const total = images.length;
    this.#send({ type: 'progress', phase: 'vision', done: total, total, cached: cached === total });
    return features;
  }

  /** Brings the cache to exactly this conversation; what is there already stays. */
  async #prefill(segments: readonly Segment[], round: number): Promise<Float32Array> {
    if (this.#request.reencode) this.#model.context.rewind(0);
    const { logits, reused } = await this.#watch.measure('prefill', () =>
      this.#model.context.setPrompt(segments, {
        signal: this.#signal,
        onProgress: this.#progress('prefill'),
      }),
    );
    this.#started = true;
    this.#prompt = flatIds(segments, this.#imagePad);
    this.#generated = [];
    const total = this.#prompt.length - reused;
    const cached = round === 0 ? { cached: reused > this.#prompt.lastIndexOf(this.#imagePad) } : {};
    this.#send({ type: 'progress', phase: 'prefill', done: total, total, ...cached });
    return logits;
  }

  async #generate(round: number, logits: Float32Array): Promise<RoundEnd> {
    const { limits } = this.#request;
    const remaining = limits.maxNewTokens - this.newTokens;
    this.#openRound = round;
    this.#send({ type: 'round-started', round, contextTokens: this.#prompt.length });
    return this.#watch.measure('decode', () =>
      generateRound({
        model: this.#model,
        tokens: this.#tokens,
        prompt: this.#prompt,
        firstLogits: logits,
        room: Math.min(limits.tokensPerRound, remaining),
        atRoom: remaining <= limits.tokensPerRound ? 'token-limit' : 'round-token-limit',
        signal: this.#signal,
        onStep: () => this.#watch.decoderStep(),
        onToken: (id, logprob, text) => {
          this.#watch.token();
          this.#generated.push(id);
          this.#send({ type: 'token', round, index: this.newTokens++, id, logprob, text });
        },
      }),
    );
  }

  /** Cuts and, where another round follows, puts the crop into the conversation: the segments of that round. */
  async #answerBox(
    round: number,
    text: string,
    raw: readonly number[],
    cropper: Cropper,
  ): Promise<Segment[] | StopReason> {
    const { chain, mode, preset } = this.#request;
    const step = this.#boxes++;
    const clamped = cropper.clamp(raw);
    this.#send({
      type: 'box',
      round,
      step,
      // A box may say -0, which JSON has no word for.
      raw: raw.map((value) => value + 0),
      clamped,
      located: locateBox(chain, clamped),
      sliceZeroOnly: mode === '3d' && raw.length === 4,
    });
    const { injected, box } = chooseCrop(preset, clamped, cropper.space, this.#random);
    const crops = cropper.cut(box);
    const images = crops.map(describeCrop);
    const sendCrop = (how: typeof injected, tokens: number): void =>
      this.#send({ type: 'crop', step, injected: how, box, images, tokens });

    const limit = this.#limitReached(round);
    if (limit) {
      sendCrop('none', 0);
      this.#finishRound('box');
      return limit;
    }
    const extending = this.#extend(text, injected === 'none' ? [] : crops);
    const next = await extending.catch((thrown: unknown) => {
      // What was cut is part of the record, though nothing came of it.
      sendCrop('none', 0);
      throw thrown;
    });
    if (next.length > this.#model.info.contextLimit) {
      sendCrop('none', 0);
      this.#finishRound('context-limit');
      return 'context-limit';
    }
    sendCrop(injected, next.cropTokens);
    this.#finishRound('box', next.retokenised);
    return next.segments;
  }

  /** Why no round can follow this one; the reference looks at the rounds first. */
  #limitReached(round: number): StopReason | null {
    const { maxRounds, maxNewTokens } = this.#request.limits;
    if (round + 1 >= maxRounds) return 'round-limit';
    return this.newTokens >= maxNewTokens || this.#tokens.exhausted() ? 'token-limit' : null;
  }

  async #extend(text: string, crops: readonly Crop[]) {
    const shown = this.#images.length;
    const added = crops.map((crop) => crop.image);
    this.#images.push(...added);
    if (this.#request.reencode) this.#features = await this.#encode(this.#images);
    else if (added.length > 0) this.#features.push(...(await this.#encode(added)));
    this.#conversation.addRound(text, added.length);
    const segments = this.#conversation.segments(this.#features);
    const ids = flatIds(segments, this.#imagePad);
    const kept = [...this.#prompt, ...this.#generated];
    return {
      segments,
      length: ids.length,
      cropTokens: this.#features.slice(shown).reduce((sum, each) => sum + each.tokens, 0),
      retokenised: kept.some((id, index) => ids[index] !== id),
    };
  }

  get #imagePad(): number {
    return this.#model.tokenizer.specials.imagePad;
  }

  #progress(phase: 'vision' | 'prefill'): (done: number, total: number) => void {
    return (done, total) => {
      // The last one is sent when the work is over, with what the cache saved.
      if (done < total) this.#send({ type: 'progress', phase, done, total });
    };
  }

  #finishRound<R extends RunEventOf<'round-finished'>['reason']>(reason: R, retokenised = false): R {
    const round = this.#openRound ?? 0;
    this.#send({ type: 'round-finished', round, tokens: this.#generated.length, reason, retokenised });
    this.#openRound = null;
    this.rounds++;
    return reason;
  }
}
