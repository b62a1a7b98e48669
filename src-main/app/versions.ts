/** Versions for the About box and bug reports. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

export function readVersions(): Record<string, string> {
  const { electron, chrome, node } = process.versions as Partial<Record<string, string>>;
  return {
    Electron: electron ?? 'unknown',
    Chromium: chrome ?? 'unknown',
    Node: node ?? 'unknown',
    'ONNX Runtime': versionOf('onnxruntime-node') ?? 'unknown',
  };
}

/** From the package's own package.json, which its exports may not let through. */
function versionOf(name: string): string | null {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(name));
    for (;;) {
      const found = readPackage(folder);
      if (found?.name === name) return found.version;
      const parent = dirname(folder);
      if (parent === folder) return null;
      folder = parent;
    }
  } catch {
    return null;
  }
}

function readPackage(folder: string): { name: string; version: string } | null {
  try {
    return z
      .object({ name: z.string(), version: z.string() })
      .parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')));
  } catch {
    return null;
  }
}
