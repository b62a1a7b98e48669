/** What the preload puts into the page, for functions that tests run there. */
import type { Bridge } from '../../src-contract/channels.ts';

declare global {
  interface Window {
    readonly readroom: Bridge;
  }
}
