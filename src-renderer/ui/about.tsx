/** What this is, which versions it is made of, and what it is not for. */
import { researchNotice } from '../../src-contract/trace.ts';
import { useAppInfo } from '../state/app-info-store.ts';
import { useUi } from '../state/ui-store.ts';
import { Dialog } from './dialog.tsx';

export function About() {
  const close = useUi((state) => state.closePanel);
  const { version, versions } = useAppInfo();
  return (
    <Dialog title="About Readroom" className="about" onClose={close} testId="about">
      <p>
        Readroom {version}: a workstation to watch UniReason-Med reason on CT, MR and X-ray. Everything stays
        on this machine.
      </p>
      <p className="dim">{researchNotice}</p>
      <dl className="facts">
        {Object.entries(versions).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
