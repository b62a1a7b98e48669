/** The process of one study. Bundled to out/main/study-host.js; runs under Electron's utilityProcess and under fork. */
import { parentOfProcess } from '../../channel/parent-port.ts';
import { serveStudy } from './server.ts';

// A parent that is gone wants no answer; what is under way can't be finished for anyone.
serveStudy(parentOfProcess(), () => process.exit(0));
