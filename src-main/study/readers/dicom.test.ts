import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ReadroomError } from '../../../src-contract/errors.ts';
import type { StoredArray } from '../pixels.ts';
import { defaultLimits } from '../reader.ts';
import { storedStatistics } from '../statistics.ts';
import { decodeDicom, parseDicom } from './dicom.ts';

interface Expected {
  sha256: string;
  decodable: boolean;
  why?: string;
  rows: number;
  columns: number;
  frames: number;
  channels: number;
  dtype: string;
  min: number;
  max: number;
  sum: number;
  pixels: string;
}

const folder = new URL('../../../fixtures/dicom/', import.meta.url);
const { files } = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as {
  files: Record<string, Expected>;
};
const entries = Object.entries(files).filter(([name]) =>
  existsSync(fileURLToPath(new URL(`files/${name}`, folder))),
);

const types: Record<string, string> = {
  int8: 'Int8Array',
  uint8: 'Uint8Array',
  int16: 'Int16Array',
  uint16: 'Uint16Array',
  int32: 'Int32Array',
  uint32: 'Uint32Array',
  float32: 'Float32Array',
  float64: 'Float64Array',
};

function hash(data: StoredArray): string {
  return createHash('sha256')
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest('hex');
}

function read(name: string) {
  const bytes = new Uint8Array(readFileSync(new URL(`files/${name}`, folder)));
  return { bytes, source: { path: name, bytes: bytes.length, sha256: files[name].sha256 } };
}

describe("pydicom's test files", () => {
  test('the corpus is there', () => {
    expect(entries.length).toBeGreaterThan(100);
    expect(entries.filter(([, entry]) => entry.decodable).length).toBeGreaterThan(80);
  });

  test.each(entries.filter(([, entry]) => entry.decodable))(
    '%s has the pixels that pydicom gives',
    async (name, entry) => {
      const { bytes, source } = read(name);
      const instance = parseDicom(bytes, source, defaultLimits);
      expect(instance).not.toBeNull();
      const frames = await decodeDicom(bytes, name, defaultLimits);
      const { rows, columns, channels } = entry;
      expect(frames).toMatchObject({ rows, columns, channels, frames: entry.frames });
      expect(frames.data.constructor.name).toBe(types[entry.dtype]);
      const { min, max, sum } = entry;
      expect(storedStatistics(frames.data)).toEqual({ min, max, sum });
      expect(hash(frames.data)).toBe(entry.pixels);
    },
  );

  test.each(entries.filter(([, entry]) => !entry.decodable))(
    '%s ends in a typed error or a result',
    async (name) => {
      const { bytes, source } = read(name);
      try {
        const instance = parseDicom(bytes, source, defaultLimits);
        if (instance) await decodeDicom(bytes, name, defaultLimits);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ReadroomError);
        expect((thrown as ReadroomError).message).toContain(name);
        expect((thrown as ReadroomError).remedy).toBeTruthy();
      }
    },
  );
});
