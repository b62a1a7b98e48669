/**
 * The process that reads damaged files for scripts/fuzz-readers.mjs, one at a time, and reports how it went. Its parent
 * kills it when a file takes too long.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';
import { inspectFile } from '../inspect.ts';
import { openStudy } from '../open-study.ts';

export interface FuzzOutcome {
  /** 'ok', or the error codes that inspecting and opening gave. */
  outcomes: string[];
  /** Things that must not happen: an error that is no ReadroomError, or code 'internal'. */
  faults: string[];
  /** Messages of errors that no reader foresaw and the border wrapped as 'file-malformed'. */
  unforeseen: string[];
  /** Largest resident memory of this process so far, in bytes. */
  maxRss: number;
}

async function readEverything(file: string): Promise<Omit<FuzzOutcome, 'maxRss'>> {
  const result: Omit<FuzzOutcome, 'maxRss'> = { outcomes: [], faults: [], unforeseen: [] };
  const note = (error: { code: string; message: string; detail?: string }) => {
    result.outcomes.push(error.code);
    if (error.code === 'internal') result.faults.push(error.message);
    if (error.message.includes("can't be read as the format it claims to be"))
      result.unforeseen.push(error.detail ?? '');
  };
  const inspection = await inspectFile(file);
  if (inspection.error) note(inspection.error);
  else result.outcomes.push('ok');
  try {
    const { study, readPixels } = await openStudy([file]);
    for (const problem of study.problems) note(problem.error);
    for (const series of study.series) await readPixels(series.id).catch((thrown) => caught(thrown));
  } catch (thrown) {
    caught(thrown);
  }
  function caught(thrown: unknown): void {
    if (thrown instanceof ReadroomError) note(thrown);
    else result.faults.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  return result;
}

process.on('message', (file: string) => {
  void readEverything(file).then((result) => {
    // maxRSS is in kilobytes on every platform.
    process.send?.({ ...result, maxRss: process.resourceUsage().maxRSS * 1024 });
  });
});

// Loading the modules is not the time of the first file.
process.send?.('ready');
