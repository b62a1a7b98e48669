/** The engine process of the window: the same engine as the command line's, over Electron's utilityProcess. */

import { parentOfProcess } from '../../channel/parent-port.ts';
import { openLoadedModel } from '../../engine/host/open-loaded-model.ts';
import { serveEngine } from '../../engine/host/server.ts';

serveEngine(parentOfProcess(), openLoadedModel, () => process.exit(0));
