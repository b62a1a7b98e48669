/** A figure as a file: the suffix says which. */
import { extname } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';
import { writeFileAtomically } from '../../trace/atomic-write.ts';
import type { Scene } from './scene.ts';
import { sceneToPdf } from './scene-pdf.ts';
import { printResolution, sceneToPng } from './scene-png.ts';
import { sceneToSvg } from './scene-svg.ts';

const figureSuffixes = ['.svg', '.png', '.pdf'] as const;
type FigureSuffix = (typeof figureSuffixes)[number];

/** @throws ReadroomError 'input-invalid' for another suffix: asked before the work begins */
export function figureSuffix(file: string): FigureSuffix {
  const suffix = extname(file).toLowerCase();
  const found = figureSuffixes.find((each) => each === suffix);
  if (found) return found;
  throw new ReadroomError('input-invalid', `${file}: a figure can't be written as '${suffix}'.`, {
    file,
    remedy: 'End the name in .svg, .png or .pdf.',
  });
}

/** Whole or not at all. @throws ReadroomError as figureSuffix and writeFileAtomically do */
export async function writeFigure(
  scene: Scene,
  file: string,
  dotsPerInch: number = printResolution,
): Promise<void> {
  const suffix = figureSuffix(file);
  switch (suffix) {
    case '.svg':
      return writeFileAtomically(file, sceneToSvg(scene));
    case '.png':
      return writeFileAtomically(file, await sceneToPng(scene, dotsPerInch));
    case '.pdf':
      return writeFileAtomically(file, await sceneToPdf(scene));
  }
}
