/** Settings: every change holds and is saved at once. */
import type { ReactNode } from 'react';
import { type Settings, themes } from '../../src-contract/channels.ts';
import { precisions, presets, providers } from '../../src-contract/run-events.ts';
import { presetNames } from '../chat/wording.ts';
import { useSettings } from '../state/settings-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from '../ui/dialog.tsx';
import { precisionNotes, providerNames } from '../ui/provider-names.ts';
import { Segments } from '../ui/segments.tsx';
import { Switch } from '../ui/switch.tsx';
import { NumberField } from './number-field.tsx';

function Row({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <div className="setting">
      <div>
        <p className="setting-name">{name}</p>
        {note && <p className="small dim">{note}</p>}
      </div>
      <div className="setting-control">{children}</div>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly name: string;
  readonly value: T;
  readonly choices: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

function Choice<T extends string>({ name, value, choices, onChange }: ChoiceProps<T>) {
  return (
    <select
      className="field select"
      aria-label={name}
      value={value}
      onChange={(event) => {
        const chosen = choices.find((choice) => choice.value === event.target.value);
        if (chosen) onChange(chosen.value);
      }}
    >
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}

const automatic = { value: 'auto', label: 'Automatic' } as const;

function EngineSettings({ settings, change }: SectionProps) {
  return (
    <section className="setting-group">
      <h3>Model</h3>
      <Row name="Runs on" note="Automatic takes the fastest that works and says why not the others.">
        <Choice
          name="Runs on"
          value={settings.provider}
          choices={[automatic, ...providers.map((value) => ({ value, label: providerNames[value] }))]}
          onChange={(provider) => change({ provider })}
        />
      </Row>
      <Row
        name="Precision"
        note={
          settings.precision === 'auto'
            ? 'Automatic: fp32 for small models, int4 for large ones.'
            : `${settings.precision}: ${precisionNotes[settings.precision]}.`
        }
      >
        <Choice
          name="Precision"
          value={settings.precision}
          choices={[automatic, ...precisions.map((value) => ({ value, label: value }))]}
          onChange={(precision) => change({ precision })}
        />
      </Row>
    </section>
  );
}

function RunSettings({ settings, change }: SectionProps) {
  const greedy = settings.temperature === 0;
  return (
    <section className="setting-group">
      <h3>Questions</h3>
      <Row name="Preset" note={presetNames[settings.preset].explanation}>
        <Choice
          name="Preset"
          value={settings.preset}
          choices={presets.map((value) => ({ value, label: presetNames[value].name }))}
          onChange={(preset) => change({ preset })}
        />
      </Row>
      <Row name="Temperature" note="0 is greedy: the same question gets the same answer.">
        <NumberField
          name="Temperature"
          value={settings.temperature}
          min={0}
          max={2}
          step={0.1}
          onChange={(temperature) => change({ temperature })}
        />
      </Row>
      <Row name="Top-p" note={greedy ? 'Has no effect while the temperature is 0.' : undefined}>
        <NumberField
          name="Top-p"
          value={settings.topP}
          min={0.01}
          max={1}
          step={0.05}
          onChange={(topP) => change({ topP })}
        />
      </Row>
      <Row name="Seed" note="For sampling and for random crops.">
        <NumberField
          name="Seed"
          value={settings.seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          step={1}
          onChange={(seed) => change({ seed })}
        />
      </Row>
      <Row name="New tokens at most" note="The reference: 512.">
        <NumberField
          name="New tokens at most"
          value={settings.maxNewTokens}
          min={1}
          max={8192}
          step={1}
          onChange={(maxNewTokens) => change({ maxNewTokens })}
        />
      </Row>
      <Row name="Rounds at most" note="One more than boxes that can be looked into. The reference: 10.">
        <NumberField
          name="Rounds at most"
          value={settings.maxRounds}
          min={1}
          max={100}
          step={1}
          onChange={(maxRounds) => change({ maxRounds })}
        />
      </Row>
    </section>
  );
}

interface SectionProps {
  readonly settings: Settings;
  readonly change: (part: Partial<Settings>) => void;
}

export function SettingsPanel() {
  const close = useUi((state) => state.closePanel);
  const { settings, change } = useSettings();
  return (
    <Dialog title="Settings" className="settings" onClose={close} testId="settings">
      <section className="setting-group">
        <h3>Display</h3>
        <Row name="Theme">
          <Segments
            label="Theme"
            value={settings.theme}
            choices={themes.map((value) => ({ value, label: value === 'dark' ? 'Dark' : 'Light' }))}
            onChange={(theme) => change({ theme })}
          />
        </Row>
        <Row name="Token confidence" note="Tints every token by the probability the model gave it.">
          <Switch
            label={settings.showConfidence ? 'On' : 'Off'}
            on={settings.showConfidence}
            onChange={(showConfidence) => change({ showConfidence })}
          />
        </Row>
      </section>
      <RunSettings settings={settings} change={change} />
      <EngineSettings settings={settings} change={change} />
    </Dialog>
  );
}
