/** The right-hand side: questions, the review of a run, or two runs beside each other. */
import { ChatPanel } from '../chat/chat-panel.tsx';
import { ComparePanel } from '../compare/compare-panel.tsx';
import { ReviewPanel } from '../review/panel/review-panel.tsx';
import { type Side, useUi } from '../state/ui-store.ts';
import { Segments } from './segments.tsx';

const choices: readonly { value: Side; label: string; title: string }[] = [
  { value: 'chat', label: 'Questions', title: 'Ask the model (Q)' },
  { value: 'review', label: 'Review', title: 'Read a run, step by step (Q)' },
  { value: 'compare', label: 'Compare', title: 'Two runs beside each other' },
];

export function SidePanel() {
  const side = useUi((state) => state.side);
  const showSide = useUi((state) => state.showSide);
  return (
    <div className="side-panel">
      <div className="side-switch">
        <Segments label="Right-hand side" value={side} choices={choices} onChange={showSide} testId="side" />
      </div>
      {side === 'chat' && <ChatPanel />}
      {side === 'review' && <ReviewPanel />}
      {side === 'compare' && <ComparePanel />}
    </div>
  );
}
