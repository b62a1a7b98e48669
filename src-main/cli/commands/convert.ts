/** `convert SRC OUT`: a Hugging Face folder to a container that ONNX Runtime loads. Resumes where it was cut. */

import type { Precision } from '../../../src-contract/run-events.ts';
import { convertCheckpoint } from '../../checkpoint/convert.ts';
import { choosePrecision, findModel } from '../../runs/model-folders.ts';
import { interruptSignal } from '../engine-session.ts';
import { formatBytes, note, progress } from '../terminal.ts';

export interface ConvertOptions {
  precision: Precision | 'auto';
  json: boolean;
  quiet: boolean;
}

export async function runConvert(source: string, out: string, options: ConvertOptions): Promise<void> {
  const model = findModel(source);
  const precision = choosePrecision(model, options.precision);
  const bar = progress(`Converting to ${precision}`);
  const started = performance.now();
  try {
    const manifest = await convertCheckpoint({
      source: model.folder,
      out,
      precision,
      signal: interruptSignal(),
      onProgress: ({ doneBytes, totalBytes }) => {
        if (!options.quiet) bar.update(doneBytes, totalBytes, formatBytes(totalBytes));
      },
    });
    bar.stop();
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ out, precision, bytes, parameters: manifest.parameters, source: manifest.source.sha256 })}\n`,
      );
    } else if (!options.quiet) {
      note(
        `${out}: ${precision}, ${formatBytes(bytes)}, ${((performance.now() - started) / 1000).toFixed(1)} s`,
      );
    }
  } finally {
    bar.stop();
  }
}
