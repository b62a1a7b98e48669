/**
 * COCO object detection: one image a slice of the model, at the size that boxes are written in, and one annotation for
 * each slice that a box covers. `bbox` is [x, y, width, height] in pixels from the top left corner of the image.
 * Format: https://cocodataset.org/#format-data
 */
import { createHash } from 'node:crypto';
import { encode } from 'fast-png';
import { researchNotice } from '../../../src-contract/trace.ts';
import type { ExportOptions, FormatWriter, RunToExport } from '../export-run.ts';
import { describeVerdict, type Finding, keptFindings } from '../findings.ts';
import type { OutputFolder } from '../output-folder.ts';

const category = { id: 1, name: 'finding', supercategory: 'finding' };

export async function openCoco(folder: OutputFolder, _options: ExportOptions): Promise<FormatWriter> {
  const images = await folder.openFile('annotations.json');
  // The format wants all images before all annotations: these wait in a file of their own.
  const waiting = await folder.openFile('annotations.waiting');
  const info = { description: `Readroom export. ${researchNotice}`, version: '1.0', contributor: 'Readroom' };
  await images.write(`{\n"info": ${JSON.stringify(info)},\n"licenses": [],\n`);
  await images.write(`"categories": ${JSON.stringify([category])},\n"images": [`);
  let imageCount = 0;
  let annotationCount = 0;
  /** First image id of a set of slices that is written already: runs of one case share their images. */
  const known = new Map<string, number>();

  const addImages = async (item: RunToExport): Promise<number> => {
    const key = sliceSetKey(item);
    const there = known.get(key);
    if (there !== undefined) return there;
    const slices = await item.images.slices();
    const first = imageCount + 1;
    for (let z = 0; z < slices.length; z++) {
      const { width, height, channels, data } = await item.images.aligned(z);
      const name = `images/${item.name}-${String(z).padStart(3, '0')}.png`;
      await folder.write(name, encode({ width, height, channels, data, depth: 8 }));
      const image = {
        id: ++imageCount,
        file_name: name,
        width,
        height,
        case: item.title,
        slice: z,
        synthetic: item.findings.synthetic,
      };
      await images.write(`${imageCount > 1 ? ',' : ''}\n${JSON.stringify(image)}`);
    }
    known.set(key, first);
    return first;
  };

  return {
    async add(item) {
      const first = await addImages(item);
      for (const finding of keptFindings(item.findings)) {
        for (let z = finding.pixels.z1; z < finding.pixels.z2; z++) {
          const annotation = annotationOf(item, finding, ++annotationCount, first + z);
          await waiting.write(`${annotationCount > 1 ? ',' : ''}\n${JSON.stringify(annotation)}`);
        }
      }
    },
    async finish() {
      await images.write('\n],\n"annotations": [');
      await waiting.close();
      await folder.copyInto('annotations.waiting', images);
      await images.write('\n]\n}\n');
      await images.close();
      await folder.remove('annotations.waiting');
    },
  };
}

/** Equal for runs whose slices are the same pixels: same files, same grid, same grey levels. */
export function sliceSetKey({ run }: RunToExport): string {
  const { chain, normalization } = run.trace;
  const { processorToGrid, processorSize, ...rest } = chain;
  const parts = [
    run.sources.map(({ sha256 }) => sha256),
    rest,
    processorToGrid,
    processorSize,
    normalization,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

function annotationOf({ run, findings }: RunToExport, finding: Finding, id: number, imageId: number): object {
  const { x1, y1, x2, y2 } = finding.edges;
  const [width, height] = [x2 - x1, y2 - y1];
  return {
    id,
    image_id: imageId,
    category_id: category.id,
    bbox: [x1, y1, width, height],
    area: width * height,
    segmentation: [[x1, y1, x2, y1, x2, y2, x1, y2]],
    iscrowd: 0,
    attributes: {
      run_id: run.runId,
      box: finding.key,
      label: finding.label,
      origin: finding.origin,
      verdict: describeVerdict(finding),
      synthetic: findings.synthetic,
    },
  };
}
