import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { caseFilterSchema } from '../../../src-contract/project.ts';
import { buildEntry } from '../../engine/host/build-entry.ts';
import { forkTransport } from '../../engine/host/transport.ts';
import { makeTrace } from '../../storage/project/testing/make-trace.ts';
import { Projects } from './projects.ts';

let entry: Awaited<ReturnType<typeof buildEntry>>;
beforeAll(async () => {
  entry = await buildEntry(join(import.meta.dirname, '../../storage/project/host/entry.ts'));
});
afterAll(() => entry.remove());

let userData: string;
const open: Projects[] = [];
beforeEach(() => {
  userData = mkdtempSync(join(tmpdir(), 'readroom-projects-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.dispose()));
  rmSync(userData, { recursive: true, force: true });
});

function start() {
  const told: { name: string; payload: unknown }[] = [];
  const pids: number[] = [];
  const transport = forkTransport(entry.file);
  const projects = new Projects({
    transport: {
      start() {
        const child = transport.start();
        if (child.pid !== undefined) pids.push(child.pid);
        return child;
      },
    },
    userData,
    emit: (name, payload) => told.push({ name, payload }),
  });
  open.push(projects);
  const names = () => told.map(({ name }) => name);
  return { projects, told, names, pids };
}
const page = { filter: caseFilterSchema.parse({}), sort: 'newest', offset: 0, limit: 10 } as const;

describe('the open project', () => {
  it('is the library at first, and keeps runs that have ended', async () => {
    const { projects, names } = start();
    await projects.start();
    expect(await projects.call('view', {})).toMatchObject({ title: 'Library', fileName: null });
    await projects.keep(makeTrace({ runId: 'one', stopReason: 'failed' }), 'Thorax');
    await projects.keep(makeTrace({ runId: 'one', stopReason: 'failed' }), 'Thorax');
    expect(names().filter((name) => name === 'project.runAdded')).toHaveLength(1);
    expect((await projects.call('cases', page)).rows).toMatchObject([{ title: 'Thorax', runs: 1 }]);
    await projects.dispose();
    // One tidy file, without a write-ahead log.
    expect(readdirSync(userData).filter((name) => name.startsWith('library'))).toEqual(['library.readroom']);
  });

  it('goes on after its process was killed; calls under way are told so', async () => {
    const { projects, pids } = start();
    await projects.keep(makeTrace({ runId: 'one' }), 'Thorax');
    const { readerId } = await projects.call('view', {});
    const edit = { kind: 'comment', runId: 'one', readerId, before: null, after: 'saved' } as const;
    await projects.call('edit', { edits: [edit] });
    const under = projects.call('log', { caseId: null, offset: 0, limit: 500 });
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await expect(under).rejects.toMatchObject({ code: 'project-died' });
    expect((await projects.call('reviews', { runId: 'one' })).own.comment).toBe('saved');
    expect(pids).toHaveLength(2);
  });

  it('is opened again at the next start, with the reader who was chosen', async () => {
    const first = start();
    const view = await first.projects.create(join(userData, 'study.readroom'));
    expect(view).toMatchObject({ title: 'study', fileName: 'study.readroom' });
    const { readers } = await first.projects.call('addReader', { name: 'Second', role: 'adjudicator' });
    const second = readers.find(({ name }) => name === 'Second');
    await first.projects.choose(second?.readerId ?? '');
    await first.projects.dispose();

    const again = start();
    await again.projects.start();
    expect(await again.projects.call('view', {})).toMatchObject({
      title: 'study',
      readerId: second?.readerId,
    });
    expect(await again.projects.openLibrary()).toMatchObject({ title: 'Library' });
    expect((await again.projects.call('view', {})).readerId).not.toBe(second?.readerId);
  });

  it('falls back to the library where the last file is gone, and says so', async () => {
    const first = start();
    await first.projects.create(join(userData, 'study.readroom'));
    await first.projects.dispose();
    rmSync(join(userData, 'study.readroom'));
    const { projects, told } = start();
    await projects.start();
    expect(told.find(({ name }) => name === 'project.failed')?.payload).toMatchObject({
      error: { code: 'file-not-found' },
    });
    expect(await projects.call('view', {})).toMatchObject({ fileName: null });
  });

  it('stays open where another one can not be opened', async () => {
    const { projects } = start();
    await projects.create(join(userData, 'study.readroom'));
    await expect(projects.open(join(userData, 'none.readroom'))).rejects.toMatchObject({
      code: 'file-not-found',
    });
    await expect(projects.create(join(userData, 'study.readroom'))).rejects.toMatchObject({
      code: 'input-invalid',
    });
    expect(await projects.call('view', {})).toMatchObject({ title: 'study' });
  });

  it('a run that can not be kept is told of, and nothing else fails', async () => {
    const { projects, told } = start();
    const trace = makeTrace({ runId: 'one' });
    await projects.keep({ ...trace, events: [] }, 'Thorax');
    expect(told.at(-1)).toMatchObject({
      name: 'project.failed',
      payload: { error: { code: 'input-invalid' } },
    });
    expect(await projects.call('view', {})).toMatchObject({ counts: { runs: 0 } });
  });
});
