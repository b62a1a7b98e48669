/** The paper's figure of a volume run of a project and the 2D runs on its slices. */

import { ReadroomError } from '../../../src-contract/errors.ts';
import type { figureMethods } from '../../../src-contract/figure-protocol.ts';
import type { MethodResult } from '../../../src-contract/method-channel.ts';
import { summarizeEvents } from '../../../src-contract/trace.ts';
import type { MethodHandlers } from '../../channel/server.ts';
import { consistencyOf, cuboidSlices, storedSliceAxis, thinned } from '../../review/compare/consistency.ts';
import { type FigureContent, figureScene, figureSlices } from '../../review/figure/figure.ts';
import type { Scene } from '../../review/figure/scene.ts';
import { sceneToSvg } from '../../review/figure/scene-svg.ts';
import { writeFigure } from '../../review/figure/write-figure.ts';
import { windowOf } from '../../runs/prepare-study.ts';
import { tokensPerRound } from '../../runs/question-run.ts';
import { comparedRun, shownSliceRuns, sliceRunsIn } from './analysis.ts';
import { requireModelShown } from './model-veil.ts';
import type { Project } from './project.ts';

type Params<M extends keyof typeof figureMethods> = Parameters<MethodHandlers<typeof figureMethods>[M]>[0];

/** @param project the open one; throws where none is */
export function figureHandlers(project: () => Project): MethodHandlers<typeof figureMethods> {
  return {
    slicePlan: (wish) => planOf(project(), wish),
    figureSlices: (wish) => slicesFor(project(), wish),
    figure: (wish) => ({ svg: sceneToSvg(sceneOf(project(), wish)) }),
    saveFigure: async ({ file, ...wish }) => {
      await writeFigure(sceneOf(project(), wish), file);
      return {};
    },
  };
}

/** @throws ReadroomError as consistencyOf and shownSliceRuns do */
function contentOf(
  project: Project,
  runId: string,
): Pick<FigureContent, 'volume' | 'sliceRuns' | 'consistency'> {
  requireModelShown(project, runId);
  const volume = comparedRun(project, runId);
  const sliceRuns = shownSliceRuns(project, volume, sliceRunsIn(project, volume));
  return { volume, sliceRuns, consistency: consistencyOf(volume, sliceRuns.values()) };
}

/**
 * Slices without a 2D run, and how the volume was asked.
 * @throws ReadroomError 'input-invalid' where the run drew no cuboid, or the model is hidden from the reader on it
 */
function planOf(
  project: Project,
  { volumeRunId, every }: Params<'slicePlan'>,
): MethodResult<typeof figureMethods, 'slicePlan'> {
  requireModelShown(project, volumeRunId);
  const volume = comparedRun(project, volumeRunId);
  // What was asked is not asked again because this reader may not see it yet.
  const sliceRuns = sliceRunsIn(project, volume);
  const { question, options, expected, events } = volume.trace;
  const { started } = summarizeEvents(events);
  if (!started) throw new ReadroomError('input-invalid', 'The run never began.', { field: 'volumeRunId' });
  const { title, series } = project.case(project.caseIdOf(volumeRunId));
  const { modelHash, name, precision } = started.model;
  const { temperature, topP, topK, seed } = started.sampling;
  return {
    title,
    seriesId: series?.id ?? null,
    question,
    options,
    expected,
    preset: started.preset,
    sampling: { temperature, topP, topK, seed },
    limits: { ...started.limits, tokensPerRound: tokensPerRound['2d'] },
    model: { modelHash, name, precision },
    window: windowOf([...sliceRuns.values()][0]?.trace.normalization ?? null),
    slices: thinned(cuboidSlices(volume.trace), every).filter((slice) => !sliceRuns.has(slice)),
  };
}

/** Whose pixels the figure shows, each with the window its 2D run was asked with. */
function slicesFor(
  project: Project,
  { volumeRunId, slice }: Params<'figureSlices'>,
): ReturnType<typeof slicesOfContent> & { title: string; seriesId: string | null } {
  const content = contentOf(project, volumeRunId);
  const count = content.volume.trace.chain.sourceSize[storedSliceAxis];
  if (slice >= count) {
    throw new ReadroomError('input-invalid', `There is no slice ${slice} in this series.`, {
      field: 'slice',
      remedy: `Slices are numbered 0 to ${count - 1}.`,
    });
  }
  const { title, series } = project.case(project.caseIdOf(volumeRunId));
  return { title, seriesId: series?.id ?? null, ...slicesOfContent(content, slice) };
}

function slicesOfContent({ sliceRuns, consistency }: ReturnType<typeof contentOf>, slice: number) {
  const { large, small } = figureSlices(consistency, slice);
  // A slice that was not asked is shown as the others were.
  const usual = windowOf([...sliceRuns.values()][0]?.trace.normalization ?? null);
  const slices = [...new Set([large, ...small])].map((each) => {
    const run = sliceRuns.get(each);
    return { slice: each, window: run ? windowOf(run.trace.normalization) : usual };
  });
  return { slices };
}

/** @throws ReadroomError 'input-invalid' where a picture is missing or of another size */
function sceneOf(project: Project, { volumeRunId, slice, pictures }: Params<'figure'>): Scene {
  const content = contentOf(project, volumeRunId);
  const [columns, rows] = content.volume.trace.chain.sourceSize;
  const bySlice = new Map(pictures.map((each) => [each.slice, each.image]));
  for (const { slice: needed } of slicesOfContent(content, slice).slices) {
    const picture = bySlice.get(needed);
    if (!picture || picture.width !== columns || picture.height !== rows) {
      throw new ReadroomError('input-invalid', `The picture of slice ${needed} is not that of the run.`, {
        field: 'pictures',
      });
    }
  }
  const { title } = project.case(project.caseIdOf(volumeRunId));
  return figureScene({ ...content, title, slice, pictures: bySlice });
}
