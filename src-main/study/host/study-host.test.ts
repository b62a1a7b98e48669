import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadroomError } from '../../../src-contract/errors.ts';
import type { StudyEvent } from '../../../src-contract/study-protocol.ts';
import { buildEntry } from '../../engine/host/build-entry.ts';
import { forkTransport } from '../../engine/host/transport.ts';
import { openStudy } from '../open-study.ts';
import { StudyProcess } from './client.ts';

const root = join(import.meta.dirname, '../../..');
const volume = join(root, 'resources/samples/thorax-ct-synthetic-lesion.mha');
const model = join(root, 'resources/models/readroom-mini');

let entry: Awaited<ReturnType<typeof buildEntry>>;
beforeAll(async () => {
  entry = await buildEntry(join(import.meta.dirname, 'entry.ts'));
});
afterAll(() => entry.remove());

function startStudy() {
  const events: StudyEvent[] = [];
  const deaths: ReadroomError[] = [];
  const study = new StudyProcess(forkTransport(entry.file), {
    onEvent: (event) => events.push(event),
    onDeath: (error) => deaths.push(error),
  });
  return { study, events, deaths };
}

describe('a study in its own process', () => {
  it('opens, and gives the same pixels as the reader', async () => {
    const { study, events } = startStudy();
    const opened = await study.call('open', { paths: [volume] });
    const [series] = opened.series;
    const described = await study.call('pixels', { seriesId: series.id });
    const here = await openStudy([volume]);
    const pixels = await here.readPixels(here.study.series[0].id);
    expect(described).toMatchObject({ type: 'int16', slices: 128, columns: 256, rows: 256, channels: 1 });
    const length = 256 * 256;
    const bytesOf = (first: number, count: number) =>
      new Uint8Array(pixels.data.buffer, pixels.data.byteOffset + first * length * 2, count * length * 2);
    const slice = await study.call('slice', { seriesId: series.id, slice: 61, count: 1, type: 'int16' });
    expect(Buffer.compare(slice, bytesOf(61, 1))).toBe(0);
    const batch = await study.call('slice', { seriesId: series.id, slice: 120, count: 8, type: 'int16' });
    expect(Buffer.compare(batch, bytesOf(120, 8))).toBe(0);
    const refused = (params: { slice: number; count: number; type: 'int16' | 'uint8' }) =>
      study.call('slice', { seriesId: series.id, ...params });
    await expect(refused({ slice: 121, count: 8, type: 'int16' })).rejects.toMatchObject({ field: 'slice' });
    await expect(refused({ slice: 0, count: 1, type: 'uint8' })).rejects.toMatchObject({ field: 'type' });
    const progress = events.filter((event) => event.type === 'series-progress').at(-1);
    expect(progress).toMatchObject({ done: 128, total: 128 });
    await study.dispose();
  });

  it('cuts the volume as a run will see it, and as the model will', async () => {
    const { study } = startStudy();
    const { series } = await study.call('open', { paths: [volume] });
    const [{ id: seriesId }] = series;
    const prepared = await study.call('prepare', { seriesId, target: { kind: 'volume' } });
    expect(prepared).toMatchObject({ mode: '3d', synthetic: true });
    expect(prepared.images).toHaveLength(32);
    expect(prepared.images[0].data).toHaveLength(256 * 256);
    const view = await study.call('modelView', { seriesId, target: { kind: 'volume' }, model });
    const image = await study.call('modelViewSlice', { viewId: view.viewId, slice: 31 });
    expect(image).toHaveLength(view.width * view.height * 3);
    expect(view.chain.processorSize).toEqual([view.width, view.height, 32]);
    await expect(study.call('modelViewSlice', { viewId: view.viewId, slice: 32 })).rejects.toThrow();
    const window = { center: 40, width: 400 };
    const slice = await study.call('prepare', { seriesId, target: { kind: 'slice', slice: 3, window } });
    expect(slice).toMatchObject({ mode: '2d', normalization: 'window, centre 40, width 400' });
    const png = await study.call('thumbnail', { seriesId, side: 64 });
    expect([...png.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
    await study.dispose();
  });

  it('ends calls when it is closed, and when the process dies', async () => {
    const closed = startStudy();
    const waiting = closed.study.call('open', { paths: [volume] });
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await closed.study.dispose();
    await outcome;
    expect(closed.deaths).toEqual([]);

    const dying = startStudy();
    await dying.study.call('open', { paths: [volume] });
    const lost = dying.study.call('prepare', { seriesId: 'none', target: { kind: 'volume' } });
    await expect(lost).rejects.toMatchObject({ code: 'input-invalid' });
    process.kill(dying.study.pid ?? 0, 'SIGKILL');
    await expect.poll(() => dying.deaths).toHaveLength(1);
    expect(dying.deaths[0].message).toContain('SIGKILL');
    await expect(dying.study.call('open', { paths: [volume] })).rejects.toThrow();
  });

  it('lists the elements of a DICOM file, nested ones too', async () => {
    const { study } = startStudy();
    const { series } = await study.call('open', { paths: [join(root, 'fixtures/dicom/files/JPEG2000.dcm')] });
    const { tags } = await study.call('tags', { seriesId: series[0].id, slice: 0 });
    const named = (name: string) => tags.find((tag) => tag.name === name);
    expect(named('Modality')).toEqual({
      tag: '(0008,0060)',
      vr: 'CS',
      name: 'Modality',
      value: 'NM',
      depth: 0,
    });
    expect(named('PixelData')?.value).toMatch(/^\d+ bytes$/);
    const sequence = tags.findIndex(({ vr, value }) => vr === 'SQ' && value === '1 item');
    expect(tags[sequence + 1]).toMatchObject({ name: 'Item 1', depth: 1 });
    expect(tags[sequence + 2]).toMatchObject({ depth: 2 });
    await study.dispose();
  });
});
