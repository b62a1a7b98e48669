/** Image files without what says whose they are; the pixels and where they lie stay as they are. */
import { missingCase } from '../../../src-contract/errors.ts';
import type { Format } from '../../../src-contract/study.ts';
import { detectFormat, detectionBytes, extensionOf } from '../detect.ts';
import { unsupported } from '../reader.ts';
import { deidentifyDicom } from './dicom.ts';
import { deidentifyMetaImage, deidentifyNifti, deidentifyNrrd } from './headers.ts';
import { deidentifyJpeg, deidentifyPng } from './pictures.ts';

export interface Deidentified {
  readonly bytes: Uint8Array;
  /** For a new name: '.dcm', '.nii.gz'. */
  readonly suffix: string;
}

/**
 * What is kept of each format is listed in docs/projects.md.
 * @throws ReadroomError 'format-unsupported' where it can't be done, 'file-malformed', 'file-truncated'
 */
export async function deidentify(bytes: Uint8Array, name: string): Promise<Deidentified> {
  const detected = await detectFormat(bytes.subarray(0, detectionBytes), name);
  if (detected.is !== 'format') {
    throw unsupported(name, 'it is no image that Readroom reads', 'Send it by itself, after looking at it.');
  }
  const extension = extensionOf(name);
  const suffix =
    /^[a-z0-9]{1,6}(\.gz)?$/.test(extension) && detected.format !== 'dicom' ? `.${extension}` : '.dcm';
  return { bytes: clean(detected.format, bytes, name), suffix };
}

function clean(format: Format, bytes: Uint8Array, name: string): Uint8Array {
  switch (format) {
    case 'dicom':
      return deidentifyDicom(bytes, name);
    case 'nifti':
      return deidentifyNifti(bytes, name);
    case 'metaimage':
      return deidentifyMetaImage(bytes, name);
    case 'nrrd':
      return deidentifyNrrd(bytes, name);
    case 'npy':
    case 'npz':
      // Numbers and nothing else.
      return bytes;
    case 'png':
      return deidentifyPng(bytes, name);
    case 'jpeg':
      return deidentifyJpeg(bytes, name);
    case 'tiff':
      throw unsupported(
        name,
        'identifiers are not taken out of TIFF files',
        'Save it as PNG to send it along.',
      );
    default:
      return missingCase(format);
  }
}
