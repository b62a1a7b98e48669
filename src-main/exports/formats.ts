/** Which module writes which format; each is loaded when it is asked for. */
import { missingCase } from '../../src-contract/errors.ts';
import type { ExportFormat } from '../../src-contract/project.ts';
import type { ExportOptions, FormatWriter, OpenWriter } from './export-run.ts';
import type { OutputFolder } from './output-folder.ts';

export async function openFormat(
  format: ExportFormat,
  folder: OutputFolder,
  options: ExportOptions,
): Promise<FormatWriter> {
  const open = await load(format);
  return open(folder, options);
}

async function load(format: ExportFormat): Promise<OpenWriter> {
  switch (format) {
    case 'trace':
      return (await import('./trace-json.ts')).openTraceJson;
    case 'csv':
      return (await import('./annotations/csv.ts')).openCsv;
    case 'coco':
      return (await import('./annotations/coco.ts')).openCoco;
    case 'slicer-roi':
      return (await import('./annotations/slicer-roi.ts')).openSlicerRoi;
    case 'nifti':
      return (await import('./annotations/nifti.ts')).openNifti;
    case 'nrrd':
      return (await import('./annotations/nrrd.ts')).openNrrd;
    case 'unimed-cot':
      return (await import('./training/unimed-cot.ts')).openUnimedCot;
    case 'llama-factory':
      return (await import('./training/llama-factory.ts')).openLlamaFactory;
    case 'verl':
      return (await import('./training/verl.ts')).openVerl;
    case 'dicom-sr':
      return (await import('./dicom/sr.ts')).openDicomSr;
    case 'dicom-seg':
      return (await import('./dicom/seg.ts')).openDicomSeg;
    case 'html':
      return (await import('./report/html.ts')).openHtml;
    case 'pdf':
      return (await import('./report/pdf.ts')).openPdf;
    default:
      return missingCase(format);
  }
}
