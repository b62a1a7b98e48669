/** Pictures of the report: a slice with the boxes on it, in the patient's proportions, and the crops the model looked at. */
import { encode } from 'fast-png';
import { type AffineChain, locateBox } from '../../../src-contract/geometry.ts';
import { toProcessorEdges } from '../../../src-contract/source-box.ts';
import type { ImagePixels } from '../../engine/language-model.ts';
import type { RunToExport } from '../export-run.ts';
import type { Finding } from '../findings.ts';

/** Millimetres on paper of the longer side. */
const sliceSide = 72;
const cropSide = 21;
/** More would fill pages: the middle ones are shown and the rest counted. */
const mostCrops = 6;

const dataUri = (png: string): string => `data:image/png;base64,${png}`;

export function pngOf({ width, height, channels, data }: ImagePixels): string {
  return Buffer.from(encode({ width, height, channels, data, depth: 8 })).toString('base64');
}

/** Width over height of the model's image in the patient; of its pixels in the file where there are no millimetres. */
export function proportions(chain: AffineChain): number {
  const [width, height] = chain.processorSize;
  const { patientCorners } = locateBox(chain, { x1: 0, y1: 0, z1: 0, x2: width, y2: height, z2: 1 });
  if (!patientCorners) return chain.canonicalSize[0] / chain.canonicalSize[1];
  const side = (n: number): number =>
    Math.hypot(...[0, 1, 2].map((axis) => patientCorners[n][axis] - patientCorners[0][axis]));
  return side(1) / side(2);
}

function paperSize(ratio: number, longest: number): { width: string; height: string } {
  const [width, height] = ratio >= 1 ? [longest, longest / ratio] : [longest * ratio, longest];
  return { width: `${width.toFixed(1)}mm`, height: `${height.toFixed(1)}mm` };
}

interface Outline {
  readonly edges: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
  readonly colour: string;
  readonly dashed: boolean;
}

/** The model's box green, where a reader moved it dashed; the reader's orange; a rejected one dashed and grey. */
function outlinesOf(chain: AffineChain, finding: Finding): Outline[] {
  const outlines: Outline[] = [];
  if (finding.modelBox && finding.origin === 'corrected') {
    outlines.push({ edges: toProcessorEdges(chain, finding.modelBox), colour: '#3ddc84', dashed: true });
  }
  const colour = finding.rejected ? '#b8bcc0' : finding.origin === 'model' ? '#3ddc84' : '#ffa726';
  outlines.push({ edges: finding.edges, colour, dashed: finding.rejected });
  return outlines;
}

/** The middle slice of a box. @throws NotExportable as SourceImages */
export async function slicePicture(item: RunToExport, finding: Finding): Promise<string> {
  const { chain, mode } = item.findings;
  const z = Math.floor((finding.pixels.z1 + finding.pixels.z2 - 1) / 2);
  const [width, height] = chain.processorSize;
  const size = paperSize(proportions(chain), sliceSide);
  const boxes = outlinesOf(chain, finding).map(({ edges, colour, dashed }) => {
    const at = `x="${edges.x1}" y="${edges.y1}" width="${edges.x2 - edges.x1}" height="${edges.y2 - edges.y1}"`;
    const stroke = `fill="none" stroke="${colour}" stroke-width="2" vector-effect="non-scaling-stroke"`;
    return `<rect ${at} ${stroke}${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
  });
  const caption =
    mode === '3d'
      ? `Slice ${z + 1} of ${chain.gridSize[2]} as the model saw it; the box covers slices ${finding.pixels.z1 + 1} to ${finding.pixels.z2}.`
      : 'The image as the model saw it.';
  return (
    `<figure><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" width="${size.width}" height="${size.height}" role="img" aria-label="${caption}">` +
    `<image href="${dataUri(pngOf(await item.images.aligned(z)))}" width="${width}" height="${height}" preserveAspectRatio="none"/>` +
    `${boxes.join('')}</svg><figcaption>${caption}</figcaption></figure>`
  );
}

/** The crops of a step as the trace recorded them. */
export function cropPictures(item: RunToExport, finding: Finding): string {
  const crop = finding.step === null ? null : item.findings.summary.steps[finding.step]?.crop;
  if (!crop || crop.images.length === 0) return '';
  // Base64 and nothing else: a trace from elsewhere could close the attribute.
  const images = crop.images.filter(({ png }) => /^[A-Za-z0-9+/]+={0,2}$/.test(png));
  const { length } = images;
  const start = Math.max(0, Math.floor((length - mostCrops) / 2));
  const shown = images.slice(start, start + mostCrops);
  const told = {
    predicted: 'shown to the model',
    random: 'a random place, shown to the model',
    none: 'not shown',
  };
  const { chain } = item.findings;
  const pixelRatio = (proportions(chain) * chain.processorSize[1]) / chain.processorSize[0];
  const pictures = shown.map(({ png, width, height, slice }) => {
    const size = paperSize((width / height) * pixelRatio, cropSide);
    const style = `width:${size.width};height:${size.height}`;
    const caption = `Slice ${slice + 1}`;
    return `<figure><img src="${dataUri(png)}" alt="Crop, ${caption}" style="${style}"><figcaption>${caption}</figcaption></figure>`;
  });
  const some = length > shown.length ? `, ${shown.length} of ${length}` : '';
  return `<p class="quiet">Crops, ${told[crop.injected]}${some}</p><div class="crops">${pictures.join('')}</div>`;
}
