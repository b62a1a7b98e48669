/** Settings as the person made them: shown at once, saved by the main side. */
import { create } from 'zustand';
import { type Settings, settingsSchema } from '../../src-contract/channels.ts';
import { call } from './bridge.ts';
import { useUi } from './ui-store.ts';

interface SettingsState {
  readonly settings: Settings;
  change(part: Partial<Settings>): void;
  receive(settings: Settings): void;
}

/** The saves go out one after the other, so that the last change is the one that stays. */
let saving: Promise<unknown> = Promise.resolve();

export const useSettings = create<SettingsState>()((set, get) => ({
  settings: settingsSchema.parse({}),
  change: (part) => {
    const settings = { ...get().settings, ...part };
    set({ settings });
    saving = saving.then(() => call('settings.set', settings)).catch(useUi.getState().report);
  },
  receive: (settings) => set({ settings }),
}));

/** Settles when every change so far has reached the main side: a question is asked with what the person sees. */
export const settingsSaved = (): Promise<unknown> => saving;
