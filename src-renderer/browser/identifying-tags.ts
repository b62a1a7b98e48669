/** Which DICOM elements say who someone is: masked in the tags table until the person asks for them. */
import type { Tag } from '../../src-contract/channels.ts';

/** Groups of the basic confidentiality profile (PS3.15 E.1) that name people, places, dates and numbers given to them. */
const names =
  /patient.*(name|id|birth|address|phone|comment|mother|insurance|religio|residence)|accession|physician|operator|institution|station|department|issuer|performer|requesting|scheduled|admission|medical record|military|occupation|other patient/i;

/** Person names, dates and times are masked whatever they are called; so is what a private tag holds. */
export function isIdentifying({ tag, vr, name }: Tag): boolean {
  if (vr === 'PN' || vr === 'DA' || vr === 'TM' || vr === 'DT') return true;
  if (names.test(name.replace(/([a-z])([A-Z])/g, '$1 $2'))) return true;
  // UIDs of things that exist once lead back to them; those of classes, syntaxes and makers do not.
  if (vr === 'UI')
    return /instance ?uid|frame ?of ?reference|study|series|irradiation|concatenation/i.test(name);
  const group = Number.parseInt(tag.replace(/[^0-9a-fA-F]/g, '').slice(0, 4), 16);
  // Group 0010 is the patient: weight, size, sex and age tell who it is only together with the rest.
  if (group === 0x0010) return !/sex|age|weight|size|pregnan/i.test(name);
  return group % 2 === 1;
}
