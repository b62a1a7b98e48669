/** A project that takes a moment to check and to merge, for tests of what is stopped on its way. */
import { copyFileSync, renameSync } from 'node:fs';
import type { Reader } from '../../../../src-contract/project.ts';
import { Project } from '../project.ts';
import { makeTrace } from './make-trace.ts';

export async function writeLargeProject(file: string, reader: Reader, runs = 400): Promise<void> {
  const project = await Project.create(file, 'Large', reader);
  // In one transaction: a test does not wait for the disk after each run.
  project.db.transaction(() => {
    for (let n = 0; n < runs; n++) {
      project.addRun(makeTrace({ runId: `large-${n}`, pixels: `large-${n % 50}` }), `Case ${n % 50}`);
    }
  });
  project.close();
  // The driver lets go of its statements, and of their lock on the file, when they are collected: a copy takes the file's place, so that
  // no other process waits for that.
  copyFileSync(file, `${file}.copy`);
  renameSync(`${file}.copy`, file);
}
