/** One of a few, side by side: radio buttons in all but looks, arrow keys included. */
import { useId } from 'react';

interface Props<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly { readonly value: T; readonly label: string; readonly title?: string }[];
  readonly onChange: (value: T) => void;
  readonly testId?: string;
}

export function Segments<T extends string>({ label, value, choices, onChange, testId }: Props<T>) {
  const name = useId();
  return (
    <fieldset className="segments" data-testid={testId}>
      <legend className="visually-hidden">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value} className="segment" title={choice.title}>
          <input
            type="radio"
            name={name}
            className="visually-hidden"
            value={choice.value}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
