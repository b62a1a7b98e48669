/** What a figure's file may be; apart from the writers, which bring a renderer and a PDF library with them. */
import { extname } from 'node:path';
import { ReadroomError } from '../../../src-contract/errors.ts';

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
