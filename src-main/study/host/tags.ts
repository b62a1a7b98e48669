/** All data elements of a slice's DICOM file as lines of text, nested sequences indented: for the tags viewer. */
import { createRequire } from 'node:module';
import type { Tag } from '../../../src-contract/channels.ts';
import type { OpenStudy } from '../open-study.ts';
import { defaultLimits } from '../reader.ts';
import { type DataSet, latin1 } from '../readers/dicom/data-set.ts';
import { type Element, formatTag, isKnownVr } from '../readers/dicom/element-reader.ts';
import { readPart10 } from '../readers/dicom/part10.ts';

/** Of one value on the screen; what is longer is cut and says so. */
const shownCharacters = 256;
/** Lines: beyond this nobody reads on, and a hostile file must not fill the window. */
const shownLines = 5_000;
const shownDepth = 12;

const binary = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN']);
const numeric = new Set(['US', 'SS', 'UL', 'SL', 'FL', 'FD']);

interface DictionaryEntry {
  readonly vr: string;
  readonly name: string;
}

/** The data dictionary of PS3.6, as dcmjs carries it; loaded when first needed, since it is large. */
let dictionary: Readonly<Record<string, DictionaryEntry | undefined>> | undefined;
function lookUp(tag: number): DictionaryEntry | undefined {
  dictionary ??= (
    createRequire(import.meta.url)('dcmjs') as {
      data: { DicomMetaDictionary: { dictionary: Record<string, DictionaryEntry | undefined> } };
    }
  ).data.DicomMetaDictionary.dictionary;
  return dictionary[formatTag(tag)];
}

/** [] where the slice is of no DICOM file. @throws ReadroomError as the DICOM reader */
export async function readTags(open: OpenStudy, seriesId: string, slice: number): Promise<Tag[]> {
  const file = await open.dicomFile(seriesId, slice);
  if (!file) return [];
  const { dataSet, pixel, transferSyntax } = readPart10(file.bytes, file.name, defaultLimits);
  const lines: Tag[] = [
    { tag: '(0002,0010)', vr: 'UI', name: 'TransferSyntaxUID', value: transferSyntax, depth: 0 },
  ];
  describe(dataSet, 0, lines);
  if (pixel) lines.push({ ...headOf(pixel, 0), value: `${pixel.length} bytes` });
  return lines;
}

function describe(dataSet: DataSet, depth: number, lines: Tag[]): void {
  for (const element of dataSet.elements()) {
    if (lines.length >= shownLines) return;
    const head = headOf(element, depth);
    if (head.vr !== 'SQ') {
      lines.push({ ...head, value: textOf(dataSet, element, head.vr) });
      continue;
    }
    const items = depth < shownDepth ? dataSet.items(element.tag) : [];
    lines.push({ ...head, value: items.length === 1 ? '1 item' : `${items.length} items` });
    for (const [index, item] of items.entries()) {
      lines.push({ tag: '', vr: '', name: `Item ${index + 1}`, value: '', depth: depth + 1 });
      describe(item, depth + 2, lines);
    }
  }
}

function headOf(element: Element, depth: number): Tag {
  const { tag } = element;
  const known = lookUp(tag);
  const isPrivate = (tag >>> 16) % 2 === 1;
  const stated = isKnownVr(element.vr) && element.vr !== 'UN' ? element.vr : undefined;
  const name = known?.name ?? ((tag & 0xffff) === 0 ? 'GroupLength' : isPrivate ? 'Private' : 'Unknown');
  return { tag: formatTag(tag), vr: stated ?? vrOf(known) ?? 'UN', name, value: '', depth };
}

/** Some attributes may have one of several representations ('US or SS', 'ox'): the first that is one. */
function vrOf(entry: DictionaryEntry | undefined): string | undefined {
  const first = entry?.vr.slice(0, 2);
  if (first === undefined) return undefined;
  if (isKnownVr(first)) return first;
  return first === 'xs' ? 'US' : first === 'ox' ? 'OW' : undefined;
}

function textOf(dataSet: DataSet, { tag, length }: Element, vr: string): string {
  if (length === 0) return '';
  if (vr === 'AT') return tagsIn(dataSet, tag);
  if (numeric.has(vr)) return shorten(dataSet.numbers(tag, vr).join('\\'), length);
  const raw = dataSet.raw(tag);
  if (!raw) return '';
  if (binary.has(vr)) {
    // Unknown elements are often plain text; anything else is not worth a screenful.
    const text = latin1(raw.subarray(0, shownCharacters));
    const readable = vr === 'UN' && /^[\x20-\x7e]*[\0 ]?$/.test(text);
    return readable ? shorten(text.replace(/[\0 ]+$/, ''), length) : `${length} bytes`;
  }
  const texts = dataSet.strings(tag);
  return shorten(texts.join('\\').replace(/\s+/g, ' '), length);
}

function tagsIn(dataSet: DataSet, tag: number): string {
  const parts = dataSet.numbers(tag, 'US');
  const tags: string[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) tags.push(formatTag(parts[i] * 65536 + parts[i + 1]));
  return shorten(tags.join('\\'), parts.length);
}

function shorten(text: string, length: number): string {
  if (text === '' && length > 65_536) return `${length} bytes`;
  return text.length <= shownCharacters ? text : `${text.slice(0, shownCharacters)}…`;
}
