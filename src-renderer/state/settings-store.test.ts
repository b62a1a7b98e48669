import { expect, test } from 'vitest';
import { FakeBridge } from '../testing/fake-bridge.ts';
import { settingsSaved, useSettings } from './settings-store.ts';
import { useUi } from './ui-store.ts';

test('a change shows at once and is saved; saves keep their order', async () => {
  const bridge = new FakeBridge().install();
  const saved: string[] = [];
  bridge.answers['settings.set'] = async (params) => {
    // The first save takes longest: order must not depend on it.
    await new Promise((resolve) => setTimeout(resolve, saved.length === 0 ? 20 : 0));
    saved.push(String(params.theme));
    return useSettings.getState().settings;
  };
  useSettings.getState().change({ theme: 'light' });
  expect(useSettings.getState().settings.theme).toBe('light');
  useSettings.getState().change({ theme: 'dark' });
  await settingsSaved();
  expect(saved).toEqual(['light', 'dark']);
});

test('a save that fails is said once', async () => {
  new FakeBridge().install();
  useSettings.getState().change({ seed: 1 });
  useSettings.getState().change({ seed: 2 });
  await settingsSaved();
  expect(useUi.getState().notices).toHaveLength(1);
});
