/** A study that has nothing to show is an error, except to those who want to list what is wrong with it. */
import { ReadroomError } from '../../src-contract/errors.ts';
import type { Series, Study } from '../../src-contract/study.ts';

/** The first series, or an error that says why there is none. */
export function requireSeries(study: Study): Series {
  const [first] = study.series;
  if (first) return first;
  const [problem, ...more] = study.problems;
  if (problem && more.length === 0) throw ReadroomError.fromPayload(problem.error);
  const why = problem
    ? ` ${study.problems.length} files could not be read; the first: ${problem.error.message}`
    : '';
  throw new ReadroomError('study-empty', `${study.title}: there is no image in it.${why}`, {
    remedy: 'Open DICOM, NIfTI, MetaImage, NRRD, NumPy, PNG, JPEG or TIFF files, or a folder or zip of them.',
  });
}
