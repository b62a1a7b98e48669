/** The engine process: everything that touches ONNX Runtime at run time. Bundled to out/main/engine-host.js. */
import { openModel } from '../model/open-model.ts';
import { serveEngine } from './server.ts';
import { parentOfFork } from './transport.ts';

serveEngine(
  parentOfFork(),
  ({ containerDir, provider, threads }, { signal, onProgress }) =>
    openModel(containerDir, {
      ...(provider === 'auto' ? {} : { providers: [provider] }),
      ...(threads === undefined ? {} : { threads }),
      signal,
      onProgress,
    }),
  // A parent that is gone wants no answer; what is under way can't be finished for anyone.
  () => process.exit(0),
);
