/** Installed checkpoints, and conversions under way. */
import { create } from 'zustand';
import type { EventPayload, InstalledModel } from '../../src-contract/channels.ts';
import type { ErrorPayload } from '../../src-contract/errors.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { call, on } from './bridge.ts';
import { useUi } from './ui-store.ts';

export type Conversion = EventPayload<'models.progress'>;

export interface ConversionFailure {
  readonly precision: Precision;
  readonly error: ErrorPayload;
}

interface ModelsState {
  readonly models: readonly InstalledModel[];
  /** False until the list was read for the first time. */
  readonly listed: boolean;
  readonly conversions: Readonly<Record<string, Conversion>>;
  readonly failures: Readonly<Record<string, ConversionFailure>>;
  /** Shows the system's dialog; returns the model's id. */
  add(): Promise<string | null>;
  remove(modelId: string): Promise<void>;
  convert(modelId: string, precision: Precision): Promise<void>;
  cancelConvert(modelId: string): Promise<void>;
  unload(): Promise<void>;
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([one]) => one !== key));
}

export const useModels = create<ModelsState>()((set) => {
  const { report } = useUi.getState();
  return {
    models: [],
    listed: false,
    conversions: {},
    failures: {},
    add: async () => {
      try {
        return (await call('models.add', {}))?.id ?? null;
      } catch (thrown) {
        report(thrown);
        return null;
      }
    },
    remove: (modelId) => call('models.remove', { modelId }).then(() => undefined, report),
    convert: async (modelId, precision) => {
      // Shown at once: the first progress may take a second to come.
      set(({ failures, conversions }) => ({
        failures: without(failures, modelId),
        conversions: {
          ...conversions,
          [modelId]: { modelId, precision, phase: 'starting', done: 0, total: 0 },
        },
      }));
      try {
        await call('models.convert', { modelId, precision });
      } catch (thrown) {
        set(({ conversions }) => ({ conversions: without(conversions, modelId) }));
        report(thrown);
      }
    },
    cancelConvert: async (modelId) => {
      await call('models.cancelConvert', { modelId }).catch(report);
      set(({ conversions }) => ({ conversions: without(conversions, modelId) }));
    },
    unload: () => call('models.unload', {}).then(() => undefined, report),
  };
});

export function connectModels(): () => void {
  const receive = ({ models }: { models: readonly InstalledModel[] }) =>
    useModels.setState({ models, listed: true });
  const stops = [
    on('models.changed', ({ models }) => {
      receive({ models });
      // Comes at the end of every conversion, a failed one that a question began included; one that goes on says so
      // with its next progress.
      useModels.setState({ conversions: {} });
    }),
    on('models.progress', (progress) =>
      useModels.setState(({ conversions, failures }) => ({
        conversions: { ...conversions, [progress.modelId]: progress },
        failures: without(failures, progress.modelId),
      })),
    ),
    on('models.failed', ({ modelId, precision, error }) =>
      useModels.setState(({ conversions, failures }) => ({
        conversions: without(conversions, modelId),
        failures: error.code === 'cancelled' ? failures : { ...failures, [modelId]: { precision, error } },
      })),
    ),
  ];
  void call('models.list', {}).then(receive, useUi.getState().report);
  return () => {
    for (const stop of stops) stop();
  };
}
