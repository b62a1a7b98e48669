/** The engine process: everything that touches ONNX Runtime at run time. Bundled to out/main/engine-host.js. */
import { openLoadedModel } from './open-loaded-model.ts';
import { serveEngine } from './server.ts';
import { parentOfFork } from './transport.ts';

// A parent that is gone wants no answer; what is under way can't be finished for anyone.
serveEngine(parentOfFork(), openLoadedModel, () => process.exit(0));
