/**
 * Exports as tools that we did not write see them: writes every format for runs on straight, oblique, flipped, permuted
 * and sheared grids, then has scripts/check-exports.py read them with pydicom, highdicom, nibabel, pynrrd, pycocotools
 * and pyarrow, and, where they are installed, dciodvfy and dsrdump.
 *
 *   pip install pydicom highdicom nibabel pynrrd pycocotools pyarrow jsonschema   (apt: dicom3tools dcmtk)
 *   node scripts/check-exports.mjs [--python PATH] [--keep FOLDER]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withBundle } from './bundle.mjs';
import { root } from './ensure.mjs';

const { values } = parseArgs({ options: { python: { type: 'string' }, keep: { type: 'string' } } });
const folder = values.keep ? resolve(values.keep) : mkdtempSync(join(tmpdir(), 'readroom-exports-'));
mkdirSync(folder, { recursive: true });

const entries = {
  cases: 'src-main/exports/testing/cases.ts',
  exports: 'src-main/exports/export-runs.ts',
  findings: 'src-main/exports/findings.ts',
  names: 'src-main/exports/names.ts',
  project: 'src-contract/project.ts',
};
await withBundle(entries, async ({ load }) => {
  const { caseKinds, makeRun, reviewOf } = await load('cases');
  const { exportRuns } = await load('exports');
  const { findingsOf, keptFindings, voxelRange } = await load('findings');
  const { runName } = await load('names');
  const { exportFormats } = await load('project');
  const runs = [];
  for (const kind of caseKinds) {
    const plain = await makeRun(kind, join(folder, 'sources', kind));
    const review = reviewOf(plain);
    if (kind === 'axial') {
      // Words of other scripts, and signs that formats use for themselves.
      plain.trace.question = 'Größe – „Ⅲ“ \\ ^ = | "x", 日本語?';
      review.added.a1.label = 'Läsion „Ⅲ“ 日本';
      review.comment = 'a\\b\tc\n=1+1';
    }
    runs.push({ ...plain, review });
  }
  const out = join(folder, 'out');
  rmSync(out, { recursive: true, force: true });
  const result = await exportRuns({
    runs,
    total: runs.length,
    formats: Object.keys(exportFormats).filter((format) => format !== 'pdf'),
    folder: out,
    identifiers: false,
  });
  const truth = runs.map((run, index) => {
    const findings = findingsOf(run.trace, run.review);
    return {
      kind: caseKinds[index],
      name: runName(run, false),
      mode: findings.mode,
      sources: join(folder, 'sources', caseKinds[index]),
      sourceSize: run.trace.chain.sourceSize,
      sourceToPatient: run.trace.chain.sourceToPatient,
      boxes: keptFindings(findings).map((finding) => ({
        key: finding.key,
        label: finding.label,
        min: finding.box.min,
        max: finding.box.max,
        range: voxelRange(findings.chain, finding.box),
        corners: finding.located.patientCorners,
        pixels: finding.pixels,
        edges: finding.edges,
      })),
    };
  });
  writeFileSync(join(folder, 'truth.json'), JSON.stringify(truth));
  console.log(`${result.runs} runs, ${result.files} files; left out:`);
  for (const { runId, format, reason } of result.skipped) console.log(`  ${runId} ${format}: ${reason}`);
});
const { status } = spawnSync(
  values.python ?? 'python3',
  [join(root, 'scripts', 'check-exports.py'), folder],
  { stdio: 'inherit' },
);
if (!values.keep) rmSync(folder, { recursive: true, force: true });
process.exit(status ?? 1);
