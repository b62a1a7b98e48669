/**
 * 3D Slicer markups: one oblique box ROI a file (NAME-step-1.mrk.json), in LPS millimetres.
 * Schema: Slicer/Slicer Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json; `orientation` is row-major,
 * its columns are the directions of the box's edges, and they form a right-handed system.
 */
import { researchNotice } from '../../../src-contract/trace.ts';
import { type ExportOptions, type FormatWriter, NotExportable, type RunToExport } from '../export-run.ts';
import { describeVerdict, type Finding, keptFindings } from '../findings.ts';
import type { OutputFolder } from '../output-folder.ts';
import { orientedBox } from './oriented-box.ts';

const schema =
  'https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#';

/** Model green, corrected orange, added blue; RGB 0..1. */
const colours: Readonly<Record<Finding['origin'], readonly [number, number, number]>> = {
  model: [0.2, 0.75, 0.35],
  corrected: [0.95, 0.6, 0.1],
  reader: [0.25, 0.55, 0.95],
};

export async function openSlicerRoi(folder: OutputFolder, _options: ExportOptions): Promise<FormatWriter> {
  return {
    async add(item) {
      if (!item.findings.chain.sourceToPatient) {
        throw new NotExportable('The source has no position in the patient: a ROI would be nowhere.');
      }
      for (const finding of keptFindings(item.findings)) {
        const content = JSON.stringify(markupsOf(item, finding), null, 2);
        await folder.write(`${item.name}-${finding.key}.mrk.json`, `${content}\n`);
      }
    },
    finish: async () => undefined,
  };
}

function markupsOf({ findings, title }: RunToExport, finding: Finding): object {
  const { centre, directions, size } = orientedBox(findings.chain, finding.located);
  const description = [
    `${title}, ${describeVerdict(finding)}.`,
    findings.synthetic ? 'Synthetic data.' : '',
    researchNotice,
  ].filter(Boolean);
  // Rows of the matrix whose columns are the directions.
  const orientation = [0, 1, 2].flatMap((row) => directions.map((direction) => direction[row]));
  return {
    '@schema': schema,
    markups: [
      {
        type: 'ROI',
        name: finding.label,
        coordinateSystem: 'LPS',
        coordinateUnits: 'mm',
        locked: false,
        fixedNumberOfControlPoints: false,
        labelFormat: '%N-%d',
        lastUsedControlPointNumber: 1,
        roiType: 'Box',
        center: centre,
        orientation,
        size,
        insideOut: false,
        controlPoints: [
          {
            id: '1',
            label: finding.label,
            description: description.join(' '),
            associatedNodeID: '',
            position: centre,
            orientation,
            selected: true,
            locked: false,
            visibility: true,
            positionStatus: 'defined',
          },
        ],
        measurements: [],
        display: {
          visibility: true,
          opacity: 1,
          color: colours[finding.origin],
          selectedColor: colours[finding.origin],
          activeColor: [0.4, 1, 0],
          propertiesLabelVisibility: true,
          pointLabelsVisibility: false,
          fillOpacity: 0.15,
          outlineOpacity: 1,
        },
      },
    ],
  };
}
