/** The description of a series that is one file (any format but DICOM). */
import { createHash } from 'node:crypto';
import type { Series, SourceFile } from '../../src-contract/study.ts';
import type { DecodedImage } from './reader.ts';
import { fileNameOf } from './sources.ts';

export function seriesOfImage(image: DecodedImage, sources: SourceFile[]): Series {
  const { columns, rows, frames, channels } = image.frames;
  return {
    id: contentId(sources),
    format: image.format,
    modality: image.modality,
    description: image.description || fileNameOf(sources[0]),
    kind: image.kind,
    columns,
    rows,
    slices: frames,
    channels,
    spacing: image.spacing,
    sourceToPatient: image.sourceToPatient,
    windows: image.windows,
    units: image.units,
    synthetic: image.synthetic,
    sources,
    warnings: image.warnings,
    identifiers: image.identifiers,
  };
}

/** From the content of the files alone: the same file opened elsewhere, or again, has the same id. */
function contentId(sources: readonly SourceFile[]): string {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(source.sha256);
  return hash.digest('hex').slice(0, 16);
}

/** The same file twice in one study: the second and later ones get a number. */
export function uniqueIds(series: readonly Series[]): Series[] {
  const seen = new Map<string, number>();
  return series.map((one) => {
    const count = (seen.get(one.id) ?? 0) + 1;
    seen.set(one.id, count);
    return count === 1 ? one : { ...one, id: `${one.id}-${count}` };
  });
}
