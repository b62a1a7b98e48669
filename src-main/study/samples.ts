/** The case that comes with the program, with questions to start from (resources/samples). */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { z } from 'zod';
import type { Sample } from '../../src-contract/channels.ts';
import { ReadroomError } from '../../src-contract/errors.ts';
import { type Options, optionLetters } from '../../src-contract/run-events.ts';
import type { StudySource } from '../app/studies/studies.ts';
import { samplesFolder } from '../storage/locations.ts';

const caseSchema = z.object({
  file: z.string(),
  title: z.string(),
  description: z.string(),
  synthetic: z.boolean(),
  questions: z.array(z.object({ question: z.string(), options: z.array(z.string()).max(4) })),
});

interface SampleCase extends Sample {
  readonly path: string;
}

/** Case files lie in the folder itself, or in folders of their own. */
function findCases(): SampleCase[] {
  const root = samplesFolder();
  if (!existsSync(root)) return [];
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(root, name));
  return [root, ...folders.sort()].flatMap((folder) => {
    const file = join(folder, 'case.json');
    if (!existsSync(file)) return [];
    const { file: name, questions, ...rest } = caseSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const path = join(folder, name);
    if (!path.startsWith(folder + sep)) return [];
    return [
      {
        ...rest,
        id: name,
        path,
        questions: questions.map((one) => ({ ...one, options: byLetter(one.options) })),
      },
    ];
  });
}

function byLetter(texts: readonly string[]): Options {
  return Object.fromEntries(texts.map((text, i) => [optionLetters[i], text]));
}

let cached: SampleCase[] | undefined;
export function samples(): SampleCase[] {
  cached ??= findCases();
  return cached;
}

export function sampleSource(sampleId: string): StudySource {
  const found = samples().find(({ id }) => id === sampleId);
  if (found) return { paths: [found.path], title: found.title, synthetic: found.synthetic };
  throw new ReadroomError('input-invalid', 'There is no such sample.', { field: 'sampleId' });
}
