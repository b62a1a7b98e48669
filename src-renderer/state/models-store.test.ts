import { beforeEach, expect, test } from 'vitest';
import { FakeBridge } from '../testing/fake-bridge.ts';
import { connectModels, useModels } from './models-store.ts';

let bridge: FakeBridge;
let disconnect = (): void => undefined;

beforeEach(() => {
  disconnect();
  bridge = new FakeBridge().install();
  bridge.answers['models.list'] = () => ({ models: [] });
  bridge.answers['models.convert'] = () => ({});
  useModels.setState({ models: [], listed: false, conversions: {}, failures: {} });
  disconnect = connectModels();
});

const progress = { modelId: 'm', precision: 'int4', phase: 'weights', done: 1, total: 4 } as const;
const error = { code: 'disk-full', message: 'The disk is full.' } as const;

test('a conversion shows at once, moves, and is gone at its end', async () => {
  await useModels.getState().convert('m', 'int4');
  expect(useModels.getState().conversions.m).toMatchObject({ phase: 'starting' });
  bridge.send('models.progress', progress);
  expect(useModels.getState().conversions.m).toEqual(progress);
  bridge.send('models.changed', { models: [] });
  expect(useModels.getState().conversions).toEqual({});
});

test('a failure stays until the next attempt', async () => {
  bridge.send('models.failed', { modelId: 'm', precision: 'int4', error });
  expect(useModels.getState().failures.m).toEqual({ precision: 'int4', error });
  await useModels.getState().convert('m', 'int4');
  expect(useModels.getState().failures).toEqual({});
});

test('a cancelled conversion is no failure', () => {
  bridge.send('models.progress', progress);
  bridge.send('models.failed', {
    modelId: 'm',
    precision: 'int4',
    error: { code: 'cancelled', message: 'Cancelled.' },
  });
  expect(useModels.getState()).toMatchObject({ conversions: {}, failures: {} });
});
