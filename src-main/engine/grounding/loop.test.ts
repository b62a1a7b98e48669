import { createHash } from 'node:crypto';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import type { RunRequestInput } from '../../../src-contract/engine-protocol.ts';
import { locateBox } from '../../../src-contract/geometry.ts';
import { type RunEvent, type RunEventOf, runEventSchema } from '../../../src-contract/run-events.ts';
import { findInconsistency } from '../../../src-contract/trace.ts';
import { cropImage } from '../../slices/crop.ts';
import { pilResize } from '../../slices/pil-resample.ts';
import { createFakeModel, type FakeOptions, fakeSpecials, pairToken, written } from './fake-model.ts';
import { runGrounded } from './loop.ts';
import { testRequest } from './test-request.ts';

const open = '<|box_start|>';
const close = '<|box_end|>';
const end = '<|im_end|>';
const vision = (tokens: number): string => `<|vision_start|>${'<|image_pad|>'.repeat(tokens)}<|vision_end|>`;

async function play(
  fake: FakeOptions,
  change: Partial<RunRequestInput> = {},
  signal?: AbortSignal,
  model = createFakeModel(fake),
) {
  const request = testRequest(change);
  const events: RunEvent[] = [];
  const outcome = await runGrounded(model, request, (event) => events.push(event), signal);
  // Whatever happens, the stream keeps to its schema and order, and survives JSON.
  for (const event of events) expect(runEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
  expect(findInconsistency(events, request.chain)).toBeNull();
  expect(events[0].type).toBe('run-started');
  expect(events.at(-1)).toMatchObject({ type: 'run-finished', stopReason: outcome.stopReason });
  const of = <T extends RunEvent['type']>(type: T) =>
    events.filter((event): event is RunEventOf<T> => event.type === type);
  const said = of('token')
    .map((event) => event.text)
    .join('');
  return { outcome, events, of, said, model, request };
}

describe('a grounded run', () => {
  const script = [`<think>See ${open}[1,2,30,40]${close}`, ` a node.</think>\nB. Node${end}`];

  test('box, crop, answer', async () => {
    const { outcome, of, said, model, request } = await play({ script });
    const response = `<think>See ${open}[1,2,30,40]${close}${vision(4)} a node.</think>\nB. Node`;
    expect(outcome).toEqual({
      stopReason: 'end-of-turn',
      response,
      newTokens: written(script.join('')).length,
      rounds: 2,
    });
    expect(said).toBe(script.join(''));
    const box = { x1: 1, y1: 2, z1: 0, x2: 30, y2: 40, z2: 1 };
    expect(of('box')).toMatchObject([
      { step: 0, round: 0, raw: [1, 2, 30, 40], clamped: box, sliceZeroOnly: false },
    ]);
    expect(of('box')[0].located).toEqual(locateBox(request.chain, box));
    const [crop] = of('crop');
    expect(crop).toMatchObject({ step: 0, injected: 'predicted', box, tokens: 4 });
    const pixels = cropImage(pilResize(request.images[0], 56, 56, 'bilinear'), box);
    expect(decode(Buffer.from(crop.images[0].png, 'base64')).data).toEqual(pixels.data);
    const rgb = Uint8Array.from({ length: pixels.data.length * 3 }, (_, i) => pixels.data[Math.floor(i / 3)]);
    expect(crop.images[0].sha256).toBe(createHash('sha256').update(rgb).digest('hex'));
    expect(of('answer')).toMatchObject([{ text: 'B. Node', answers: { inference: 'B', reward: 'B' } }]);
    expect(of('round-finished')).toMatchObject([
      { round: 0, reason: 'box', retokenised: false },
      { round: 1, reason: 'end-of-turn', retokenised: false },
    ]);
    // The second round computed nothing that the first had: the last token and the crop only.
    expect(model.log.prompts[1].length - model.log.prompts[1].reused).toBe(1 + 2 + 4);
    expect(model.log.encoded).toBe(2);
    expect(of('run-finished')[0].timings.firstTokenMs).toBeGreaterThan(0);
  });

  test('re-encoding everything says the same', async () => {
    const { outcome } = await play({ script });
    const again = await play({ script }, { reencode: true });
    expect(again.outcome).toEqual(outcome);
    expect(again.model.log.encoded).toBe(1 + 2);
    expect(again.model.log.prompts.map(({ reused }) => reused)).toEqual([0, 0]);
  });

  test('the next question keeps the images', async () => {
    const model = createFakeModel({ script: [`A${end}`, `B${end}`] });
    const first = await play({ script: [] }, {}, undefined, model);
    expect(first.of('progress').find(({ phase }) => phase === 'prefill')?.cached).toBe(false);
    const second = await play({ script: [] }, { promptText: 'Which?' }, undefined, model);
    expect(second.of('progress').find(({ phase }) => phase === 'prefill')?.cached).toBe(true);
  });

  test('what the model wrote is read back through the tokenizer', async () => {
    const { of, model } = await play({ script: [`ab${open}[1,2,30,40]${close}`, end] });
    expect(
      of('token')
        .slice(0, 2)
        .map(({ text }) => text),
    ).toEqual(['a', 'b']);
    expect(of('round-finished')[0].retokenised).toBe(true);
    expect(model.context.ids).toContain(pairToken);
    // The second prompt shares everything up to the assistant's header only.
    expect(model.log.prompts[1].reused).toBe(model.log.prompts[0].length);
  });
});

describe('volumes', () => {
  test('six numbers cut a stack', async () => {
    const { of, outcome } = await play(
      { script: [`${open}(1,2,1,30,40,3)${close}`, `C.${end}`] },
      { mode: '3d' },
    );
    expect(of('crop')[0].images.map(({ slice }) => slice)).toEqual([1, 2]);
    expect(of('crop')[0].tokens).toBe(8);
    expect(outcome.response).toBe(`${open}(1,2,1,30,40,3)${close}${vision(4)}${vision(4)}C.`);
  });

  test('four numbers cut slice 0 and say so', async () => {
    const { of } = await play({ script: [`${open}[1,2,30,40]${close}`, end] }, { mode: '3d' });
    expect(of('box')[0]).toMatchObject({ sliceZeroOnly: true, clamped: { z1: 0, z2: 1 } });
    expect(of('crop')[0].images.map(({ slice }) => slice)).toEqual([0]);
  });

  test('six numbers on an image go through the 3D rule with one slice', async () => {
    const { of } = await play({ script: [`${open}[1,2,9,30,40,12]${close}`, end] });
    expect(of('box')[0].clamped).toEqual({ x1: 1, y1: 2, z1: 0, x2: 30, y2: 40, z2: 1 });
  });
});

describe('why a run ends', () => {
  const box = `${open}[1,2,30,40]${close}`;
  const boxTokens = written(box).length;
  const boxes = Array.from({ length: 12 }, () => box);
  const limits = (maxNewTokens: number, maxRounds: number, tokensPerRound: number) => ({
    limits: { maxNewTokens, maxRounds, tokensPerRound },
  });

  test('a box that is none', async () => {
    const { outcome, of } = await play({ script: [`A. ${open}[1,2,3]${close}`] });
    expect(outcome).toMatchObject({ stopReason: 'invalid-box', response: `A. ${open}[1,2,3]${close}` });
    expect(of('box')).toEqual([]);
    expect(of('answer')[0].answers.inference).toBe('A');
  });

  test('the last of several boxes in a round counts', async () => {
    const { of } = await play({ script: [`${open}[5,5,9,9]${open}[1,2,30,40]${close}`, end] });
    expect(of('box')[0].raw).toEqual([1, 2, 30, 40]);
  });

  test('rounds: the last crop is cut but not shown', async () => {
    const { outcome, of, model } = await play({ script: boxes });
    expect(outcome).toMatchObject({ stopReason: 'round-limit', rounds: 10 });
    expect(outcome.response).toBe(Array.from({ length: 10 }, () => box).join(vision(4)));
    expect(of('crop').map(({ injected }) => injected)).toEqual([...Array(9).fill('predicted'), 'none']);
    expect(of('crop').at(-1)).toMatchObject({ tokens: 0, images: [{ slice: 0 }] });
    expect(model.log.prompts.length).toBe(10);
  });

  test('tokens of a round', async () => {
    const { outcome, of } = await play({ script: [] }, limits(512, 10, 6));
    expect(outcome).toMatchObject({ stopReason: 'round-token-limit', response: 'xxxxxx', newTokens: 6 });
    expect(of('round-finished')).toMatchObject([{ reason: 'round-token-limit', tokens: 6 }]);
  });

  test('tokens of the run', async () => {
    const { outcome } = await play({ script: [box] }, limits(boxTokens + 5, 10, 256));
    expect(outcome).toMatchObject({ stopReason: 'token-limit', newTokens: boxTokens + 5 });
  });

  test('tokens used up on the very end of a box', async () => {
    const { outcome, of, model } = await play({ script: boxes }, limits(boxTokens, 10, 256));
    expect(outcome).toMatchObject({ stopReason: 'token-limit', response: box });
    expect(of('crop')[0].injected).toBe('none');
    expect(model.log.prompts.length).toBe(1);
  });

  test('a box that closes on the last token of its round goes on', async () => {
    const { outcome } = await play({ script: [box, end] }, limits(512, 10, boxTokens));
    expect(outcome.stopReason).toBe('end-of-turn');
  });

  test('a box with infinity or NaN raises in the reference', async () => {
    for (const [text, detail] of [
      ['[inf,0,1,2]', "OverflowError('cannot convert float infinity to integer')"],
      ['[nan,0,1,2]', "ValueError('cannot convert float NaN to integer')"],
    ]) {
      const { outcome, of } = await play({ script: [`${open}${text}${close}`] });
      expect(outcome).toMatchObject({
        stopReason: 'failed',
        response: '',
        error: { code: 'input-invalid', detail },
      });
      expect(of('round-finished')[0].reason).toBe('failed');
      expect(of('answer')).toEqual([]);
    }
  });

  test('a crop that no longer fits the context', async () => {
    const whole = await play({ script: [box, end] });
    const contextLimit = whole.model.log.prompts[1].length - 1;
    const { outcome, of } = await play({ script: [box, end], contextLimit });
    expect(outcome).toMatchObject({ stopReason: 'context-limit', response: box });
    expect(of('crop')[0]).toMatchObject({ injected: 'none', tokens: 0 });
  });

  test('a context that fills up in mid-sentence', async () => {
    const { model } = await play({ script: [end] });
    const contextLimit = model.log.prompts[0].length + 3;
    const { outcome } = await play({ script: [], contextLimit });
    expect(outcome).toMatchObject({ stopReason: 'context-limit', response: 'xxxx' });
  });

  test('a prompt that never fitted is a failure', async () => {
    const { outcome } = await play({ script: [], contextLimit: 3 });
    expect(outcome).toMatchObject({ stopReason: 'failed', error: { code: 'context-too-long' } });
  });

  test('a chain that ends in other pixels than the model sees', async () => {
    const request = testRequest();
    const chain = { ...request.chain, processorSize: [50, 50, 1] as [number, number, number] };
    const { outcome } = await play({ script: [] }, { chain });
    expect(outcome).toMatchObject({ stopReason: 'failed', error: { field: 'chain.processorSize' } });
  });

  test('cancel ends it within a token', async () => {
    const controller = new AbortController();
    const fake = { script: [], onStep: (step: number) => step === 4 && controller.abort() } as FakeOptions;
    const { outcome, of } = await play(fake, {}, controller.signal);
    expect(outcome).toMatchObject({ stopReason: 'cancelled', response: 'xxxxx', newTokens: 5 });
    expect(of('round-finished')).toMatchObject([{ reason: 'cancelled', tokens: 5 }]);
  });

  test('cancelled before it began', async () => {
    const { outcome } = await play({ script: [] }, {}, AbortSignal.abort());
    expect(outcome).toMatchObject({ stopReason: 'cancelled', newTokens: 0, rounds: 0 });
  });

  test('a decoder that breaks down', async () => {
    const onStep = () => {
      throw new Error('kernel failed');
    };
    const { outcome } = await play({ script: [], onStep });
    expect(outcome.error).toMatchObject({ code: 'engine-failed', message: 'kernel failed' });
  });

  test('a model that writes an image token is refused, as there', async () => {
    const { outcome } = await play({ script: [`<|image_pad|>${box}`, end] });
    expect(outcome).toMatchObject({ stopReason: 'failed', error: { code: 'input-invalid' } });
  });
});

describe('presets', () => {
  const script = [`${open}[1,2,30,40]${close}`, `B.${end}`];

  test('no-injection keeps the box and shows nothing', async () => {
    const { outcome, of } = await play({ script }, { preset: 'no-injection' });
    expect(outcome).toMatchObject({ stopReason: 'end-of-turn', response: `${script[0]}B.` });
    expect(of('crop')[0]).toMatchObject({ injected: 'none', tokens: 0, images: [{ width: 29 }] });
  });

  test('random-crop shows another place, the same for the same seed', async () => {
    const seeded = (seed: number) => play({ script }, { preset: 'random-crop', sampling: { seed } });
    const [one, same, other] = [await seeded(1), await seeded(1), await seeded(2)];
    const [crop] = one.of('crop');
    expect(crop.injected).toBe('random');
    expect(crop.box).not.toEqual(one.of('box')[0].clamped);
    expect(same.of('crop')[0].box).toEqual(crop.box);
    expect(other.of('crop')[0].box).not.toEqual(crop.box);
  });

  test('text-only can not open a box', async () => {
    const { of } = await play({ script: [`ok${open}x${end}`] }, { preset: 'text-only' });
    expect(of('token').map(({ id }) => id)).not.toContain(fakeSpecials.boxStart);
    expect(of('box')).toEqual([]);
  });
});

describe('tokens', () => {
  test('forced ones are taken as they are', async () => {
    const forced = written(`hi${open}[1,2,30,40]${close}yo`);
    const { outcome, said } = await play({ script: [] }, { forcedTokens: forced });
    expect(said).toBe(`hi${open}[1,2,30,40]${close}yo`);
    expect(outcome).toMatchObject({ stopReason: 'token-limit', newTokens: forced.length, rounds: 2 });
  });

  test('the log-probability is that of the model, whatever was done to the logits after', async () => {
    const { of } = await play(
      { script: [`x${end}`], repetitionPenalty: 1.5 },
      { sampling: { temperature: 0 } },
    );
    expect(of('token')[0].logprob).toBeCloseTo(-Math.log(1 + 299 * Math.exp(-20)), 9);
    expect(of('run-started')[0].sampling).toEqual({
      temperature: 0,
      topP: 1,
      topK: 50,
      repetitionPenalty: 1.5,
      seed: 0,
    });
  });
});
