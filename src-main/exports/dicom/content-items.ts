/** SR content items (PS3.3 section C.17.3): one function a value type. */
import { type Code, codeItem } from './codes.ts';
import { decimalString, type NaturalSet } from './data-set-writer.ts';
import { instanceReference, type SourceInstance } from './source-series.ts';

export type Relationship = 'CONTAINS' | 'HAS OBS CONTEXT' | 'HAS CONCEPT MOD' | 'SELECTED FROM';

const item = (
  relationship: Relationship,
  type: string,
  concept: Code | null,
  rest: NaturalSet,
): NaturalSet => ({
  RelationshipType: relationship,
  ValueType: type,
  ...(concept ? { ConceptNameCodeSequence: [codeItem(concept)] } : {}),
  ...rest,
});

export function container(
  concept: Code,
  content: readonly NaturalSet[],
  { template, root = false }: { template?: string; root?: boolean } = {},
): NaturalSet {
  const templates = template
    ? { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] }
    : {};
  const { RelationshipType, ...set } = item('CONTAINS', 'CONTAINER', concept, {
    ContinuityOfContent: 'SEPARATE',
    ...templates,
    ContentSequence: content,
  });
  return root ? set : { RelationshipType, ...set };
}

export const code = (relationship: Relationship, concept: Code, value: Code): NaturalSet =>
  item(relationship, 'CODE', concept, { ConceptCodeSequence: [codeItem(value)] });

export const text = (relationship: Relationship, concept: Code, value: string): NaturalSet =>
  // Of control characters, unlimited text may hold line ends (PS3.5 section 6.1.3).
  item(relationship, 'TEXT', concept, { TextValue: value.replace(/[^\P{Cc}\n]/gu, ' ') });

export const personName = (relationship: Relationship, concept: Code, value: string): NaturalSet =>
  item(relationship, 'PNAME', concept, { PersonName: value });

export const uidReference = (relationship: Relationship, concept: Code, value: string): NaturalSet =>
  item(relationship, 'UIDREF', concept, { UID: value });

export const measurement = (concept: Code, value: number, unit: Code): NaturalSet =>
  item('CONTAINS', 'NUM', concept, {
    MeasuredValueSequence: [
      { NumericValue: decimalString(value), MeasurementUnitsCodeSequence: [codeItem(unit)] },
    ],
  });

export const image = (
  relationship: Relationship,
  concept: Code | null,
  instance: SourceInstance,
): NaturalSet =>
  item(relationship, 'IMAGE', concept, { ReferencedSOPSequence: [instanceReference(instance)] });

/** A closed polyline in pixels of an image: 0\0 is the top left corner of its first pixel (PS3.3 C.18.6.1.2). */
export const region = (
  concept: Code,
  points: readonly (readonly [number, number])[],
  instance: SourceInstance,
): NaturalSet =>
  item('CONTAINS', 'SCOORD', concept, {
    GraphicType: 'POLYLINE',
    GraphicData: points.flat(),
    ContentSequence: [image('SELECTED FROM', null, instance)],
  });

/** A closed polygon in patient millimetres (PS3.3 C.18.9.1.2): the first point is repeated at the end. */
export const polygon3d = (
  concept: Code,
  points: readonly (readonly [number, number, number])[],
  frameOfReferenceUid: string,
): NaturalSet =>
  item('CONTAINS', 'SCOORD3D', concept, {
    GraphicType: 'POLYGON',
    GraphicData: points.flat(),
    ReferencedFrameOfReferenceUID: frameOfReferenceUid,
  });
