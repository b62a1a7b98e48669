/** The left-hand side: the studies that are open, or the cases of the project. */
import { CasesPanel } from '../project/cases-panel.tsx';
import { Underway } from '../project/underway.tsx';
import { type List, useUi } from '../state/ui-store.ts';
import { Segments } from '../ui/segments.tsx';
import { StudyBrowser } from './study-browser.tsx';

const choices: readonly { value: List; label: string; title: string }[] = [
  { value: 'studies', label: 'Studies', title: 'What is open, and what can be opened' },
  { value: 'cases', label: 'Cases', title: 'Everything that was asked, in the open project' },
];

export function LeftPanel() {
  const list = useUi((state) => state.list);
  const showList = useUi((state) => state.showList);
  return (
    <div className="side-panel">
      <div className="side-switch">
        <Segments label="Left-hand side" value={list} choices={choices} onChange={showList} testId="list" />
      </div>
      {/* Whichever list is shown: it can be stopped here. */}
      <Underway />
      {list === 'studies' ? <StudyBrowser /> : <CasesPanel />}
    </div>
  );
}
