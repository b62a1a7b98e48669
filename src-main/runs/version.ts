/** The program's own version, from package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../storage/locations.ts';

let cached: string | undefined;

export function appVersion(): string {
  cached ??= z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'))).version;
  return cached;
}
