/** Which precision to convert to, with what it will cost. */
import { useState } from 'react';
import type { InstalledModel } from '../../src-contract/channels.ts';
import type { Precision } from '../../src-contract/run-events.ts';
import { useModels } from '../state/models-store.ts';
import { formatBytes, formatEstimate } from '../ui/format.ts';
import { precisionNotes } from '../ui/provider-names.ts';

export function ConvertForm({ model }: { model: InstalledModel }) {
  const convert = useModels((state) => state.convert);
  const { id, ready, unfinished, estimates } = model;
  const open = estimates.filter(({ precision }) => !ready.includes(precision));
  // What was begun is the likeliest wish.
  const likely = open.find(({ precision }) => unfinished.includes(precision)) ?? open[0];
  const [wish, setWish] = useState<Precision | null>(null);
  const chosen = open.find(({ precision }) => precision === wish) ?? likely;
  if (!chosen) return null;
  const resumes = unfinished.includes(chosen.precision);
  return (
    <div className="convert">
      <select
        className="field select"
        aria-label={`Precision to convert ${model.name} to`}
        value={chosen.precision}
        onChange={(event) => {
          setWish(open.find(({ precision }) => precision === event.target.value)?.precision ?? null);
        }}
      >
        {open.map(({ precision }) => (
          <option key={precision} value={precision}>
            {precision}
          </option>
        ))}
      </select>
      <button
        type="button"
        className="button small-button"
        data-testid="convert"
        onClick={() => void convert(id, chosen.precision)}
      >
        {resumes ? 'Resume' : 'Convert'}
      </button>
      <p className="small dim">
        {formatBytes(chosen.bytes)} on disk, {formatBytes(chosen.memoryBytes)} of memory,{' '}
        {formatEstimate(chosen.seconds)} · {precisionNotes[chosen.precision]}
      </p>
    </div>
  );
}
