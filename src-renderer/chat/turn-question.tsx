/** The question as it was asked, with its choices, and what it was asked about. */
import type { Ask } from '../../src-contract/channels.ts';
import { optionLetters } from '../../src-contract/run-events.ts';
import { useSeries } from '../state/study-store.ts';
import { presetNames } from './wording.ts';

export function TurnQuestion({ ask }: { ask: Ask }) {
  const { question, options, target, preset } = ask;
  const series = useSeries(ask);
  const about = [
    target.kind === 'volume' ? 'volume' : series?.kind === 'image' ? 'image' : `slice ${target.slice + 1}`,
    series?.description || series?.modality,
    preset === 'grounded' ? null : presetNames[preset].name.toLowerCase(),
  ].filter(Boolean);
  const choices = optionLetters.filter((letter) => options[letter]);
  return (
    <header className="turn-question">
      <p className="question-text">{question}</p>
      {choices.length > 0 && (
        <ol className="choices">
          {choices.map((letter) => (
            <li key={letter}>
              <b>{letter}</b> {options[letter]}
            </li>
          ))}
        </ol>
      )}
      <p className="small dim turn-about" title={about.join(' · ')}>
        {about.join(' · ')}
      </p>
    </header>
  );
}
