/** The choices A to D. Enter goes to the next one; a pasted list fills them all. */
import type { ClipboardEvent, KeyboardEvent } from 'react';
import { type OptionLetter, optionLetters } from '../../src-contract/run-events.ts';
import { useComposer } from './composer-store.ts';
import { parseChoices } from './parse-choices.ts';

function onKeyDown(event: KeyboardEvent<HTMLInputElement>): void {
  if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const fields = event.currentTarget.closest('.options')?.querySelectorAll('input') ?? [];
  const here = [...fields].indexOf(event.currentTarget);
  fields[here + 1]?.focus();
}

export function OptionsEditor() {
  const options = useComposer((state) => state.options);
  const { setOption, edit } = useComposer.getState();
  const onPaste = (event: ClipboardEvent): void => {
    const pasted = parseChoices(event.clipboardData.getData('text'));
    if (!pasted) return;
    event.preventDefault();
    edit({ options: pasted });
  };
  const field = (letter: OptionLetter) => (
    <label key={letter} className="option">
      <span>{letter}</span>
      <input
        className="field"
        aria-label={`Choice ${letter}`}
        value={options[letter] ?? ''}
        data-testid={`option-${letter.toLowerCase()}`}
        onChange={(event) => setOption(letter, event.target.value)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
      />
    </label>
  );
  return (
    <fieldset className="options">
      <legend className="visually-hidden">Choices</legend>
      {optionLetters.map(field)}
    </fieldset>
  );
}
