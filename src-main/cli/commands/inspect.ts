/** `inspect FILE…`: what is in image files, without a model. Reports bad files; never fails because of one. */

import type { Inspection } from '../../../src-contract/study.ts';
import { inspectFile } from '../../study/inspect.ts';

function line(inspection: Inspection): string {
  if (!inspection.ok) {
    const { error } = inspection;
    return `${inspection.file}\n  can't be read: ${error?.message ?? 'unknown reason'}${error?.remedy ? `\n  ${error.remedy}` : ''}`;
  }
  const { modality, format, transferSyntax, columns, rows, frames, channels, stored } = inspection;
  const facts = [
    modality,
    format,
    transferSyntax,
    `${columns} x ${rows}${(frames ?? 1) > 1 ? ` x ${frames}` : ''}`,
    channels === 3 ? 'RGB' : undefined,
    stored ? `stored ${stored.min} to ${stored.max}, sum ${stored.sum}` : undefined,
  ];
  return `${inspection.file}\n  ${facts.filter(Boolean).join(' · ')}`;
}

export async function runInspect(files: string[], options: { json: boolean }): Promise<void> {
  const inspections: Inspection[] = [];
  for (const file of files) {
    const inspection = await inspectFile(file);
    if (options.json) inspections.push(inspection);
    else process.stdout.write(`${line(inspection)}\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(inspections, null, 2)}\n`);
}
