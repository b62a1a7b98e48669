/** What the main side says of itself at the start: versions, and the settings that were saved. */
import { create } from 'zustand';
import { call } from './bridge.ts';
import { useSettings } from './settings-store.ts';
import { useUi } from './ui-store.ts';

interface AppInfo {
  readonly version: string;
  readonly platform: string;
  readonly versions: Readonly<Record<string, string>>;
}

export const useAppInfo = create<AppInfo>()(() => ({ version: '', platform: '', versions: {} }));

export async function loadAppInfo(): Promise<void> {
  try {
    const { version, platform, versions, settings } = await call('app.info', {});
    useAppInfo.setState({ version, platform, versions });
    useSettings.getState().receive(settings);
  } catch (thrown) {
    useUi.getState().report(thrown);
  }
}
