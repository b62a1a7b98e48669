/** The three readings of an answer, side by side, where they differ: each rule is somebody's number in a paper. */
import type { Run } from '../state/run-store.ts';
import { answerRules, rulesDisagree } from './answer-text.ts';
import { hasOptions } from './composer-store.ts';

export function AnswerRules({ run: { ask, answer } }: { run: Run }) {
  if (!answer || !hasOptions(ask.options) || !rulesDisagree(answer.answers)) return null;
  return (
    <div className="answer-rules" data-testid="answer-rules">
      <p>The rules differ:</p>
      <dl>
        {answerRules(answer.answers).map(({ name, letter, explanation }) => (
          <div key={name} title={explanation}>
            <dt>{name}</dt>
            <dd>{letter ?? 'none'}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
