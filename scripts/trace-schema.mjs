/** Writes docs/trace.schema.json; a test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withBundle } from './bundle.mjs';
import { root } from './ensure.mjs';

const file = join(root, 'docs', 'trace.schema.json');
await withBundle({ schema: 'src-main/exports/trace-schema.ts' }, async ({ load }) => {
  const { traceJsonSchema } = await load('schema');
  writeFileSync(file, `${JSON.stringify(traceJsonSchema(), null, 2)}\n`);
});
console.log(file);
