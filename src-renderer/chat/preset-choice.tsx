/** Which ablation the next question runs under. Kept with the settings: it is asked with until it is changed. */
import { type Preset, presets } from '../../src-contract/run-events.ts';
import { useSettings } from '../state/settings-store.ts';
import { presetNames } from './wording.ts';

export function PresetChoice() {
  const preset = useSettings(({ settings }) => settings.preset);
  const change = useSettings((state) => state.change);
  return (
    <select
      className="field select"
      aria-label="Preset"
      title={presetNames[preset].explanation}
      data-testid="preset"
      value={preset}
      onChange={(event) => change({ preset: event.target.value as Preset })}
    >
      {presets.map((one) => (
        <option key={one} value={one} title={presetNames[one].explanation}>
          {presetNames[one].name}
        </option>
      ))}
    </select>
  );
}

/** What the chosen preset changes, in one line. */
export function PresetExplanation() {
  const preset = useSettings(({ settings }) => settings.preset);
  return <p className="small dim preset-explanation">{presetNames[preset].explanation}</p>;
}
