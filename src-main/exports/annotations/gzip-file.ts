/** A gzip stream over an open file: volumes are written slice by slice, never held as a whole. */
import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import type { OpenFile } from '../output-folder.ts';

export interface GzipFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the stream; the file stays open. */
  end(): Promise<void>;
}

export function gzipInto(file: OpenFile): GzipFile {
  // Label maps are mostly nothing: the quickest level packs them as well as the slow ones.
  const gzip = createGzip({ level: 1 });
  const copied = (async () => {
    for await (const chunk of gzip) await file.write(chunk as Uint8Array);
  })();
  // A failed write is told by whoever waits next; nobody may be waiting at the moment it fails.
  copied.catch(() => gzip.destroy());
  return {
    async write(bytes) {
      if (!gzip.write(bytes)) await Promise.race([once(gzip, 'drain'), copied]);
    },
    async end() {
      gzip.end();
      await copied;
    },
  };
}
