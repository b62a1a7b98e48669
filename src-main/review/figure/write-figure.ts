/** A figure as a file: the suffix says which. */
import { writeFileAtomically } from '../../trace/atomic-write.ts';
import { figureSuffix } from './figure-suffix.ts';
import type { Scene } from './scene.ts';
import { sceneToSvg } from './scene-svg.ts';

/** Whole or not at all. @throws ReadroomError as figureSuffix and writeFileAtomically do */
export async function writeFigure(scene: Scene, file: string, dotsPerInch?: number): Promise<void> {
  const suffix = figureSuffix(file);
  switch (suffix) {
    case '.svg':
      return writeFileAtomically(file, sceneToSvg(scene));
    // Renderer and PDF library are loaded when they are needed: processes that may write a figure start without them.
    case '.png': {
      const { sceneToPng } = await import('./scene-png.ts');
      return writeFileAtomically(file, await sceneToPng(scene, dotsPerInch));
    }
    case '.pdf': {
      const { sceneToPdf } = await import('./scene-pdf.ts');
      return writeFileAtomically(file, await sceneToPdf(scene));
    }
  }
}
