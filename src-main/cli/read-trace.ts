/** A trace named on the command line. */
import { readFile, stat } from 'node:fs/promises';
import { ReadroomError, toReadroomError } from '../../src-contract/errors.ts';
import { parseTrace, type Trace, traceLimits } from '../../src-contract/trace.ts';

/** @throws ReadroomError 'file-not-found', 'file-too-large' before it is read, and as parseTrace does */
export async function readTraceFile(file: string): Promise<Trace> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > traceLimits.bytes) {
      throw new ReadroomError('file-too-large', `${file} is larger than any trace (${size} bytes).`, {
        file,
      });
    }
    text = await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof ReadroomError) throw thrown;
    throw new ReadroomError('file-not-found', `${file} could not be read.`, {
      file,
      detail: toReadroomError(thrown).message,
      remedy: 'Give the file that --trace wrote.',
    });
  }
  return parseTrace(text, file);
}
