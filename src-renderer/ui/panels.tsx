/** The panel that is open, if one is. */
import { AgreementPanel } from '../agreement/agreement-panel.tsx';
import { TagsDialog } from '../browser/tags-dialog.tsx';
import { Palette } from '../commands/palette.tsx';
import { Shortcuts } from '../commands/shortcuts.tsx';
import { ExportPanel } from '../export/export-panel.tsx';
import { ModelsPanel } from '../models/models-panel.tsx';
import { HistoryPanel } from '../project/history-panel.tsx';
import { MergedPanel } from '../project/merged-panel.tsx';
import { ReadersPanel } from '../project/readers-panel.tsx';
import { SettingsPanel } from '../settings/settings-panel.tsx';
import { useSeries, useStudies } from '../state/study-store.ts';
import { useUi } from '../state/ui-store.ts';
import { About } from './about.tsx';

export function Panels() {
  const panel = useUi((state) => state.panel);
  switch (panel) {
    case 'models':
      return <ModelsPanel />;
    case 'settings':
      return <SettingsPanel />;
    case 'shortcuts':
      return <Shortcuts />;
    case 'palette':
      return <Palette />;
    case 'about':
      return <About />;
    case 'tags':
      return <TagsInHand />;
    case 'readers':
      return <ReadersPanel />;
    case 'history':
      return <HistoryPanel />;
    case 'agreement':
      return <AgreementPanel />;
    case 'merged':
      return <MergedPanel />;
    case 'export':
      return <ExportPanel />;
    case null:
      return null;
  }
}

/** The tags of the series in hand. */
function TagsInHand() {
  const selected = useStudies((state) => state.selected);
  const series = useSeries(selected);
  const close = useUi((state) => state.closePanel);
  return selected && series ? (
    <TagsDialog studyId={selected.studyId} series={series} onClose={close} />
  ) : null;
}
