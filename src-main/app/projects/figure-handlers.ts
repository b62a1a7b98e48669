/** The paper's figure: the project's process has the runs, the study's the pixels. */
import { extname } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { figureCalls } from '../../../src-contract/project-channels.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import type { CallHandlers } from '../../ipc/router.ts';
import { figureSuffix } from '../../review/figure/figure-suffix.ts';
import type { Services } from '../handlers.ts';
import type { Studies } from '../studies/studies.ts';

export type FigureHandlers = Pick<CallHandlers, keyof typeof figureCalls>;

interface FigureWish {
  readonly volumeRunId: string;
  readonly slice: number;
}

/** The open study that has the series of a case. @throws ReadroomError 'input-invalid' where it is not open */
export function openSeriesOf(
  studies: Studies,
  { title, seriesId }: { title: string; seriesId: string | null },
): { studyId: string; seriesId: string } {
  const study = studies.views().find(({ series }) => series.some(({ id }) => id === seriesId));
  if (study && seriesId !== null) return { studyId: study.studyId, seriesId };
  throw new ReadroomError('input-invalid', `The images of '${title}' are not open.`, {
    remedy: 'Open the study of this case first: its pixels are needed.',
  });
}

export function figureHandlers({ projects, studies, sliceRuns, dialogs }: Services): FigureHandlers {
  const picturesFor = async (
    wish: FigureWish,
  ): Promise<{ title: string; pictures: { slice: number; image: ImagePixels }[] }> => {
    const { title, seriesId, slices } = await projects.call('figureSlices', wish);
    const place = openSeriesOf(studies, { title, seriesId });
    const pictures = await Promise.all(
      slices.map(async ({ slice, window }) => {
        const target = { kind: 'slice' as const, slice, ...(window ? { window } : {}) };
        const { images } = await studies.call(place.studyId, 'prepare', { seriesId: place.seriesId, target });
        return { slice, image: images[0] };
      }),
    );
    return { title, pictures };
  };
  return {
    'compare.figure': async (wish) => {
      const { pictures } = await picturesFor(wish);
      return projects.call('figure', { ...wish, pictures });
    },
    'compare.saveFigure': async (wish) => {
      const { pictures } = await picturesFor(wish);
      const chosen = await dialogs.saveFigure('figure.png');
      if (chosen === null) return null;
      // Some systems leave the suffix to the person.
      const file = extname(chosen) === '' ? `${chosen}.png` : chosen;
      figureSuffix(file);
      await projects.call('saveFigure', { ...wish, pictures, file });
      return { name: file.split(/[\\/]/).pop() ?? file };
    },
    'compare.askSlices': ({ volumeRunId, every }) => sliceRuns.start(volumeRunId, every),
    'compare.stopSlices': ({ volumeRunId }) => {
      sliceRuns.stop(volumeRunId);
      return {};
    },
  };
}
