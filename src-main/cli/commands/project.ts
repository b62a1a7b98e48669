/** `project FILE`: what is in a project, and whether its log adds up. */
import { resolve } from 'node:path';
import { type CaseRow, caseFilterSchema } from '../../../src-contract/project.ts';
import { logPage } from '../../storage/project/audit.ts';
import { Project } from '../../storage/project/project.ts';
import { listCases } from '../../storage/project/queries.ts';
import { commandLineReader } from '../project-words.ts';

interface ListOptions {
  text?: string;
  json: boolean;
}

const pageSize = 500;

export async function runProject(file: string, options: ListOptions): Promise<void> {
  const project = Project.open(resolve(file), { reader: commandLineReader, trusted: true });
  try {
    const { title, counts, modalities } = project.view(false);
    const readers = project.readers();
    const { broken, total: entries } = logPage(
      project.db,
      { ...commandLineReader, role: 'adjudicator' },
      { caseId: null, offset: 0, limit: 1 },
    );
    const cases = [...allCases(project, options.text ?? '')];
    if (options.json) {
      const told = { title, cases, counts, modalities, readers, log: { entries, broken } };
      process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
    } else {
      const names = readers.map(({ name, role }) =>
        role === 'adjudicator' ? `${name} (adjudicator)` : name,
      );
      process.stdout.write(
        `${title}: ${counts.cases} cases, ${counts.runs} runs; readers: ${names.join(', ') || 'none yet'}\n` +
          `log: ${entries} entries, ${broken ?? 'its hashes add up'}\n`,
      );
      for (const one of cases) process.stdout.write(`${line(one)}\n`);
    }
  } finally {
    project.close();
  }
}

function* allCases(project: Project, text: string): Generator<CaseRow> {
  const filter = caseFilterSchema.parse({ text });
  for (let offset = 0; ; offset += pageSize) {
    const { rows } = listCases(project.db, project.reader, {
      filter,
      sort: 'title',
      offset,
      limit: pageSize,
    });
    yield* rows;
    if (rows.length < pageSize) return;
  }
}

function line({ caseId, title, modality, runs, synthetic, lastQuestion, lastAnswer }: CaseRow): string {
  const facts = [modality, `${runs} run${runs === 1 ? '' : 's'}`, synthetic ? 'synthetic' : null];
  const last = lastQuestion === null ? '' : `\n    ${lastQuestion} ${lastAnswer ?? 'no answer'}`;
  return `  ${title}  ${facts.filter(Boolean).join(' · ')}  ${caseId}${last}`;
}
