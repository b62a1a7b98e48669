/** The lossless trace, and beside it what the reader said. Reading the trace back replays the run without the model. */
import { serializeTrace, type Trace } from '../../src-contract/trace.ts';
import type { ExportOptions, FormatWriter } from './export-run.ts';
import type { OutputFolder } from './output-folder.ts';

export async function openTraceJson(folder: OutputFolder, options: ExportOptions): Promise<FormatWriter> {
  return {
    async add({ run, name }) {
      const trace = options.identifiers ? run.trace : withoutPlaces(run.trace);
      await folder.write(`${name}.trace.json`, serializeTrace(trace));
      if (!run.review) return;
      const review = options.identifiers ? { ...run.review, reader: run.reader?.name ?? null } : run.review;
      await folder.write(`${name}.review.json`, `${JSON.stringify(review, null, 2)}\n`);
    },
    finish: async () => undefined,
  };
}

/** Paths and instance UIDs often say who the patient is; the hashes, which find the files again, do not. */
function withoutPlaces(trace: Trace): Trace {
  return {
    ...trace,
    sources: trace.sources.map(({ bytes, sha256 }, index) => ({
      path: `source-${index + 1}`,
      bytes,
      sha256,
    })),
  };
}
