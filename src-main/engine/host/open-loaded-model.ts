/** How an engine process opens the container that `load` names. */
import { openModel } from '../model/open-model.ts';
import type { OpenModel } from './server.ts';

export const openLoadedModel: OpenModel = ({ containerDir, provider, threads }, { signal, onProgress }) =>
  openModel(containerDir, {
    ...(provider === 'auto' ? {} : { providers: [provider] }),
    ...(threads === undefined ? {} : { threads }),
    signal,
    onProgress,
  });
