/** A question's input from an open study: a whole volume, serialised anatomically, or one slice as a 2D image. */
import { ReadroomError } from '../../src-contract/errors.ts';
import { type Series, type Window, windowSchema } from '../../src-contract/study.ts';
import { traceSeriesSchema } from '../../src-contract/trace.ts';
import { serialiseAnatomical, serialiseImage } from '../slices/serialise.ts';
import type { OpenStudy } from '../study/open-study.ts';
import type { SeriesPixels } from '../study/pixels.ts';
import { requireSeries } from '../study/require-series.ts';
import type { PreparedInput } from './prepared-input.ts';

export interface StudySelection {
  /** Series id, or the beginning of one; absent: the series with the most pixels, volumes first. */
  readonly series?: string;
  /** 0-based source slice: asks about this slice as a 2D image. */
  readonly slice?: number;
  readonly window?: Window;
  readonly signal?: AbortSignal;
  readonly onProgress?: (fraction: number) => void;
}

const voxels = ({ columns, rows, slices }: Series): number => columns * rows * slices;

/**
 * @throws ReadroomError 'study-empty' when there is no image in the study, 'input-invalid' when the named series is not
 * there or several begin alike
 */
export function selectSeries({ study }: OpenStudy, wish?: string): Series {
  const fallback = requireSeries(study);
  if (wish === undefined) {
    const rank = (series: Series) => (series.kind === 'volume' ? 1e15 : 0) + voxels(series);
    return study.series.reduce((best, series) => (rank(series) > rank(best) ? series : best), fallback);
  }
  const found = study.series.filter(({ id }) => id === wish || id.startsWith(wish));
  if (found.length === 1) return found[0];
  const list = study.series.map(({ id, description }) => `${id} (${description})`).join(', ');
  throw new ReadroomError(
    'input-invalid',
    found.length === 0
      ? `There is no series '${wish}' in this study.`
      : `Several series begin with '${wish}'.`,
    { field: 'series', remedy: `Series: ${list}.` },
  );
}

/** Reads the series and cuts it as the model will see it. */
export async function prepareStudyInput(
  open: OpenStudy,
  selection: StudySelection = {},
): Promise<PreparedInput> {
  const series = selectSeries(open, selection.series);
  const pixels = await open.readPixels(series.id, {
    signal: selection.signal,
    onProgress: selection.onProgress,
  });
  return prepareSeriesInput(pixels, selection);
}

/** The same from pixels that are in memory already. */
export function prepareSeriesInput(
  pixels: SeriesPixels,
  { slice, window }: Pick<StudySelection, 'slice' | 'window'> = {},
): PreparedInput {
  const { series } = pixels;
  const size = `${series.columns} x ${series.rows}${series.slices > 1 ? ` x ${series.slices}` : ''}`;
  const common = {
    sources: series.sources,
    series: traceSeriesSchema.parse(series),
    synthetic: series.synthetic,
    title: [series.description, series.modality, size, series.synthetic ? 'contains a synthetic lesion' : '']
      .filter(Boolean)
      .join(' · '),
    warnings: series.warnings,
  };
  if (series.kind === 'volume' && slice === undefined) {
    const { slices, chain } = serialiseAnatomical(pixels);
    return {
      ...common,
      mode: '3d',
      images: slices,
      chain,
      normalization: '1st to 99th percentile to 0..255, truncated',
    };
  }
  if (slice === undefined && series.slices > 1) {
    throw new ReadroomError('input-invalid', `The slices of '${series.description}' form no volume.`, {
      remedy: `Ask about one of them: slice 0 to ${series.slices - 1}.`,
      field: 'slice',
    });
  }
  if (slice !== undefined && slice >= series.slices) {
    throw new ReadroomError('input-invalid', `There is no slice ${slice} in '${series.description}'.`, {
      remedy: `Slices are numbered 0 to ${series.slices - 1}.`,
      field: 'slice',
    });
  }
  const { image, chain, mapping } = serialiseImage(pixels, slice ?? 0, { window });
  return { ...common, mode: '2d', images: [image], chain, normalization: describeMapping(mapping, window) };
}

/** The window that a run's `normalization` tells of; null for another mapping, and for the series' own window. */
export function windowOf(normalization: string | null): Window | null {
  const match = /^window, centre (\S+), width (\S+)$/.exec(normalization ?? '');
  const parsed = windowSchema.safeParse({ center: Number(match?.[1]), width: Number(match?.[2]) });
  return parsed.success ? parsed.data : null;
}

function describeMapping(
  mapping: ReturnType<typeof serialiseImage>['mapping'],
  window?: Window,
): string | null {
  switch (mapping) {
    case 'as-is':
      return null;
    case 'window':
      return window ? `window, centre ${window.center}, width ${window.width}` : "the series' own window";
    case 'percentile':
      return '1st to 99th percentile to 0..255, truncated';
    case 'pillow':
      return "Pillow's convert('RGB')";
  }
}
