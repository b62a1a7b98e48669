import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { caseFilterSchema } from '../../../src-contract/project.ts';
import { buildEntry } from '../../engine/host/build-entry.ts';
import { forkTransport } from '../../engine/host/transport.ts';
import { writeLargeProject } from '../../storage/project/testing/large-project.ts';
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

describe('work that takes long', () => {
  const anna = { readerId: 'anna', name: 'Anna', role: 'reader' } as const;
  const all = { caseId: null, offset: 0, limit: 1 } as const;
  const large = () => join(userData, 'large.readroom');

  /** Waits until it has shown progress, and a while more. */
  async function shownFor(told: { name: string }[], ms: number): Promise<void> {
    const before = told.length;
    const shown = () => told.slice(before).some(({ name }) => name === 'project.progress');
    await vi.waitFor(() => expect(shown()).toBe(true), { timeout: 10_000, interval: 5 });
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
  const progressOf = (told: { name: string; payload: unknown }[]) =>
    told.findLast(({ name }) => name === 'project.progress')?.payload as { done: number; total: number };

  it('a merge is stopped at any moment, and the project is as it was', async () => {
    await writeLargeProject(large(), anna);
    const { projects, told } = start();
    await projects.create(join(userData, 'study.readroom'));
    await projects.keep(makeTrace({ runId: 'one' }), 'Thorax');
    const before = await projects.call('log', all);
    for (const after of [0, 100 * Math.random(), 300 * Math.random()]) {
      const stopped = expect(projects.call('merge', { path: large() })).rejects.toMatchObject({
        code: 'cancelled',
      });
      await shownFor(told, after);
      projects.cancelTransfer();
      await stopped;
      expect(progressOf(told)).toEqual({ what: 'Merging', done: 1, total: 1 });
      expect(await projects.call('log', all)).toEqual(before);
      expect((await projects.call('view', {})).counts).toMatchObject({ cases: 1, runs: 1 });
    }
    expect(await projects.call('merge', { path: large() })).toMatchObject({ runs: 400 });
    expect(await projects.call('log', all)).toMatchObject({ broken: null });
  });

  it('edits go on during a merge, and none is lost; another project is not opened meanwhile', async () => {
    await writeLargeProject(large(), anna);
    const { projects, told } = start();
    const { readerId } = await projects.create(join(userData, 'study.readroom'));
    await projects.keep(makeTrace({ runId: 'one' }), 'Thorax');
    let merged = false;
    const merging = projects.call('merge', { path: large() }).finally(() => {
      merged = true;
    });
    await shownFor(told, 0);
    await expect(projects.openLibrary()).rejects.toMatchObject({ code: 'input-invalid' });
    let before: string | null = null;
    for (let n = 0; !merged; n++) {
      const after = `comment ${n}`;
      await projects.call('edit', { edits: [{ kind: 'comment', runId: 'one', readerId, before, after }] });
      before = after;
    }
    expect(await merging).toMatchObject({ runs: 400 });
    expect(before).not.toBeNull();
    expect((await projects.call('reviews', { runId: 'one' })).own.comment).toBe(before);
    expect(await projects.call('log', all)).toMatchObject({ broken: null });
  });

  it('the check of a foreign project is stopped: what was open stays open', async () => {
    await writeLargeProject(large(), anna);
    const { projects, told } = start();
    await projects.create(join(userData, 'study.readroom'));
    const stopped = expect(projects.open(large())).rejects.toMatchObject({ code: 'cancelled' });
    await shownFor(told, 100 * Math.random());
    expect(await projects.call('view', {})).toMatchObject({ title: 'study' });
    projects.cancelTransfer();
    await stopped;
    expect(await projects.call('view', {})).toMatchObject({ title: 'study' });
    expect(await projects.open(large())).toMatchObject({ title: 'Large', counts: { runs: 400 } });
  });

  it('an archive is stopped by the end of the program too, and no file is left', async () => {
    await writeLargeProject(large(), anna);
    const { projects, told } = start();
    await projects.open(large());
    const names = () => readdirSync(userData).filter((name) => name.includes('.zip'));
    for (const end of [() => projects.cancelTransfer(), () => projects.dispose()]) {
      const path = join(userData, 'large.readroom.zip');
      const stopped = expect(projects.call('archive', { path, pixels: false })).rejects.toMatchObject({
        code: 'cancelled',
      });
      await shownFor(told, 50 * Math.random());
      expect(names()).toHaveLength(1);
      await end();
      await stopped;
      expect(names()).toEqual([]);
    }
  });
});
