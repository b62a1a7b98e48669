/**
 * Blinding to the model: a reader of a project that hides the model sees what was asked, and the images, until he or she
 * has asked for the model's reasoning on that run or has finished it. Kept here, so that nothing of it leaves the
 * project's process before.
 */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Reader } from '../../../src-contract/project.ts';
import { modelIsHidden } from '../../../src-contract/review.ts';
import type { Trace } from '../../../src-contract/trace.ts';
import type { Database } from './file/database.ts';
import type { Project } from './project.ts';
import { blindingOf, readingOf } from './reviews.ts';

/** Is the model's part of a run to be kept from this reader for now? */
export function isModelHidden(db: Database, runId: string, reader: Reader): boolean {
  const blinding = blindingOf(db);
  // Most projects hide nothing: they are not asked run by run.
  return blinding.model && modelIsHidden(blinding, reader, readingOf(db, runId, reader.readerId));
}

/**
 * A trace as far as the project's reader may see it: where the model is hidden, its header and how the run began, without
 * tokens, boxes, crops, answer, and without the right answer of the case.
 * @throws ReadroomError as Project.trace
 */
export function traceFor(project: Project, runId: string): Trace {
  const trace = project.trace(runId);
  if (!isModelHidden(project.db, runId, project.reader)) return trace;
  return { ...trace, expected: null, events: trace.events.filter(({ type }) => type === 'run-started') };
}

/** @throws ReadroomError 'input-invalid' where the project's reader may not see the model's part of the run yet */
export function requireModelShown({ db, reader }: Project, runId: string): void {
  if (isModelHidden(db, runId, reader)) throw modelHidden('The model is hidden from you on this run.');
}

export const modelHidden = (message: string): ReadroomError =>
  new ReadroomError('input-invalid', message, {
    field: 'runId',
    remedy: 'Reveal the model in the review of this run first.',
  });
