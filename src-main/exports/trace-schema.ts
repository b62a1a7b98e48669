/** The trace format as JSON Schema (2020-12), from the zod schema that reads it; published as docs/trace.schema.json. */
import { z } from 'zod';
import { traceSchema, traceVersion } from '../../src-contract/trace.ts';

export function traceJsonSchema(): object {
  return {
    $id: `https://readroom.invalid/trace-v${traceVersion}.schema.json`,
    title: `Readroom trace, version ${traceVersion}`,
    description:
      'One run: a header and the events as they happened. Readers check more than a schema can say: order of events, and that boxes lie where the affine chain puts them.',
    ...z.toJSONSchema(traceSchema, { io: 'input' }),
  };
}
