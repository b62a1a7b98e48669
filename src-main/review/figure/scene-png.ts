/** A scene as PNG, rendered by resvg (Rust, no system library): the same pixels on every platform. */
import { renderAsync } from '@resvg/resvg-js';
import { fontFile } from '../../storage/locations.ts';
import { crc32 } from '../../study/readers/crc32.ts';
import type { Scene } from './scene.ts';
import { sceneToSvg } from './scene-svg.ts';

/** Line art and halftones together: what journals ask for at print size. */
export const printResolution = 600;

/** @param dotsPerInch of the PNG at the scene's own size in millimetres; written into it (pHYs) */
export async function sceneToPng(scene: Scene, dotsPerInch = printResolution): Promise<Uint8Array> {
  const rendered = await renderAsync(sceneToSvg(scene), {
    background: '#ffffff',
    fitTo: { mode: 'width', value: Math.round((scene.width / 25.4) * dotsPerInch) },
    font: {
      fontFiles: [fontFile('regular'), fontFile('bold')],
      defaultFontFamily: 'Arimo',
      // For scripts that Arimo does not have.
      loadSystemFonts: true,
    },
  });
  return withResolution(rendered.asPng(), dotsPerInch);
}

/** Puts a pHYs chunk (PNG specification, 11.3.4.3) behind IHDR: pixels a metre, so that the figure opens at its size. */
function withResolution(png: Uint8Array, dotsPerInch: number): Uint8Array {
  const perMetre = Math.round(dotsPerInch / 0.0254);
  const chunk = Buffer.alloc(4 + 4 + 9 + 4);
  chunk.writeUInt32BE(9, 0);
  chunk.write('pHYs', 4, 'latin1');
  chunk.writeUInt32BE(perMetre, 8);
  chunk.writeUInt32BE(perMetre, 12);
  chunk.writeUInt8(1, 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17);
  // Signature of 8 bytes, IHDR of 25.
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}
