/** A review that goes on until it is killed: a change, and a line about it as soon as it is saved. Entry of a process. */
import { writeSync } from 'node:fs';
import { Project } from '../project.ts';
import { nextChange } from './changes.ts';

const [file = '', seed = '1', readerId = 'anna'] = process.argv.slice(2);
const project = Project.open(file, { reader: { readerId, name: readerId, role: 'reader' }, trusted: true });
for (let n = Number(seed) * 1_000; ; n++) {
  const done = nextChange(project, n);
  // Straight to the pipe: what was written before a kill is read by the parent.
  if (done) writeSync(1, `${done}\n`);
}
