/** What the window has to say: calm messages in a corner, each with what can be done about it. */
import { useEffect } from 'react';
import { type Notice, useUi } from '../state/ui-store.ts';
import { IconButton } from './icon-button.tsx';

/** News goes by itself; what went wrong stays until it was seen. */
const infoSeconds = 6;

function NoticeItem({ notice }: { notice: Notice }) {
  const dismiss = useUi((state) => state.dismiss);
  useEffect(() => {
    if (notice.tone !== 'info') return;
    const timer = setTimeout(() => dismiss(notice.id), infoSeconds * 1000);
    return () => clearTimeout(timer);
  }, [notice, dismiss]);
  return (
    <li className={`notice notice-${notice.tone}`} data-testid="notice">
      <div className="notice-text">
        <p>{notice.message}</p>
        {notice.remedy && <p className="dim">{notice.remedy}</p>}
      </div>
      <IconButton icon="close" label="Dismiss" onClick={() => dismiss(notice.id)} />
    </li>
  );
}

export function Notices() {
  const notices = useUi((state) => state.notices);
  return (
    <aside className="notices" aria-live="polite" aria-label="Messages">
      <ul>
        {notices.map((notice) => (
          <NoticeItem key={notice.id} notice={notice} />
        ))}
      </ul>
    </aside>
  );
}
