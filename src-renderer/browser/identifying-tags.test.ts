import { expect, it } from 'vitest';
import { isIdentifying } from './identifying-tags.ts';

const tag = (number: string, vr: string, name: string) => ({ tag: number, vr, name, value: 'x', depth: 0 });

it('masks who, where and when, and leaves what the picture is', () => {
  for (const one of [
    tag('(0010,0010)', 'PN', "Patient's Name"),
    tag('(0010,0020)', 'LO', 'PatientID'),
    tag('(0008,0050)', 'SH', 'AccessionNumber'),
    tag('(0008,0080)', 'LO', 'InstitutionName'),
    tag('(0008,0020)', 'DA', 'StudyDate'),
    tag('(0009,1001)', 'LO', 'Private'),
    tag('(0020,000D)', 'UI', 'StudyInstanceUID'),
    tag('00101001', 'PN', 'OtherPatientNames'),
  ]) {
    expect(isIdentifying(one), one.name).toBe(true);
  }
  for (const one of [
    tag('(0028,0010)', 'US', 'Rows'),
    tag('(0008,0016)', 'UI', 'SOPClassUID'),
    tag('(0002,0010)', 'UI', 'TransferSyntaxUID'),
    tag('(0008,0060)', 'CS', 'Modality'),
    tag('(0010,0040)', 'CS', 'PatientSex'),
    tag('(0018,5100)', 'CS', 'PatientPosition'),
    tag('(0020,0032)', 'DS', 'ImagePositionPatient'),
  ]) {
    expect(isIdentifying(one), one.name).toBe(false);
  }
});
