/** Puts the study of a case on screen: where its files were, or where the person says they are now. */
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { Dialogs } from '../handlers.ts';
import type { Studies } from '../studies/studies.ts';
import type { Projects } from './projects.ts';

export interface CaseStudyServices {
  readonly projects: Pick<Projects, 'call'>;
  readonly studies: Pick<Studies, 'open' | 'views'>;
  readonly dialogs: Pick<Dialogs, 'pickImagesOfCase'>;
}

/**
 * @returns null where the person cancelled the search
 * @throws ReadroomError 'file-not-found' where the files, or some of them, are not to be found
 */
export async function openCaseStudy(
  { projects, studies, dialogs }: CaseStudyServices,
  caseId: string,
): Promise<{ openId: string } | null> {
  const { title, synthetic, seriesId, files } = await projects.call('case', { caseId });
  // Series ids come from the content of the files: one that is open has the right pixels.
  const open = studies.views().find(({ series }) => series.some(({ id }) => id === seriesId));
  if (open) return { openId: open.studyId };
  if (files === 0) {
    throw new ReadroomError('file-not-found', `It is not known which files '${title}' was made from.`, {
      remedy: 'The trace it came with names none. Open the study by hand.',
    });
  }
  let located = await projects.call('locate', { caseId, folder: null });
  if (located.missing.length > 0) {
    const folder = await dialogs.pickImagesOfCase(title);
    if (folder === null) return null;
    located = await projects.call('locate', { caseId, folder });
  }
  const { paths, missing, standIns } = located;
  if (missing.length > 0) {
    const names = missing.slice(0, 3).join(', ');
    const what = files === 1 ? 'The file' : `${missing.length} of ${files} files`;
    throw new ReadroomError('file-not-found', `${what} of '${title}' could not be found: ${names}.`, {
      file: missing[0],
      remedy: 'Choose the folder that holds them, unchanged; their content is compared, not their names.',
    });
  }
  return studies.open({ paths, title, standIns, ...(synthetic ? { synthetic } : {}) });
}
