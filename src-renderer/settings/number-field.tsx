/** A number that holds once it is one: half-typed text is the field's own business. */
import { useEffect, useState } from 'react';
import { parseNumber } from './parse-number.ts';

interface Props {
  readonly name: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** 1 stands for whole numbers. */
  readonly step: number;
  readonly onChange: (value: number) => void;
}

export function NumberField({ name, value, min, max, step, onChange }: Props) {
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const parsed = parseNumber(text, min, max, step === 1);
  return (
    <input
      className="field number"
      type="number"
      aria-label={name}
      aria-invalid={parsed === null}
      title={parsed === null ? `From ${min} to ${max}${step === 1 ? ', a whole number' : ''}` : undefined}
      min={min}
      max={max}
      step={step}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        const next = parseNumber(event.target.value, min, max, step === 1);
        if (next !== null && next !== value) onChange(next);
      }}
      onBlur={() => setText(String(value))}
    />
  );
}
