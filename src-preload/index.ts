/**
 * The bridge: the only thing the page gets from outside. It knows the contract's names, so that nothing can be called
 * or listened to that the contract doesn't list; main checks what they carry. No path enters the page: dropped files
 * become paths here.
 */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { callNames, eventNames } from '../src-contract/channel-names.ts';
import type { Bridge } from '../src-contract/channels.ts';

type Listener = (payload: unknown) => void;
/** One listener on the channel serves all of the page's, of which there are dozens. */
const listeners = new Map<string, Set<Listener>>();

// Main sends what the contract says: this process trusts it, and the page can't send on this channel.
ipcRenderer.on('readroom:event', (_event, ...message: unknown[]) => {
  const [name, payload] = message;
  for (const listener of listeners.get(String(name)) ?? []) listener(payload);
});

const bridge: Bridge = {
  call: (name, params) => {
    if (!callNames.includes(name) || name === 'study.openDropped') {
      return Promise.reject(new Error(`No such call: ${String(name)}`));
    }
    return ipcRenderer.invoke('readroom:call', name, params);
  },
  on: (name, listener) => {
    if (!eventNames.includes(name)) throw new Error(`No such event: ${String(name)}`);
    const wrapped: Listener = (payload) => listener(payload as Parameters<typeof listener>[0]);
    const set = listeners.get(name) ?? new Set();
    listeners.set(name, set.add(wrapped));
    return () => void set.delete(wrapped);
  },
  openDropped: (files) => {
    const paths = files.map((file) => webUtils.getPathForFile(file)).filter((path) => path !== '');
    return ipcRenderer.invoke('readroom:call', 'study.openDropped', { paths });
  },
};

contextBridge.exposeInMainWorld('readroom', bridge);
