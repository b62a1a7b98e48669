/** The built process of an export, as the window starts it. `npm test` builds out/ first. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ExportEvent } from '../../../src-contract/export-protocol.ts';
import { caseFilterSchema, type ExportFormat } from '../../../src-contract/project.ts';
import { forkTransport } from '../../engine/host/transport.ts';
import { Project } from '../../storage/project/project.ts';
import { fixtureReaders, writeFixture } from '../../storage/project/testing/fixture.ts';
import { ExportProcess } from './client.ts';

const entry = resolve(import.meta.dirname, '../../../out/main/export-host.js');
const [, ben] = fixtureReaders;
let folder: string;
let file: string;
let started: ExportProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-export-host-'));
  file = join(folder, 'fixture.readroom');
  await writeFixture(file);
});
afterEach(() => started?.dispose());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const request = (formats: ExportFormat[]) => ({
  scope: { kind: 'project' as const, filter: caseFilterSchema.parse({}) },
  formats,
  readerId: ben.readerId,
  identifiers: false,
});

it('exports while the project is open elsewhere, with progress, and has pages printed', async () => {
  const open = Project.open(file, { reader: ben, trusted: true });
  const events: ExportEvent[] = [];
  const process: ExportProcess = new ExportProcess(forkTransport(entry), {
    onEvent: (event) => {
      events.push(event);
      if (event.type !== 'print') return;
      expect(readFileSync(event.page, 'utf8')).toContain('<!doctype html>');
      writeFileSync(event.pdf, '%PDF-1.7 test');
      void process.call('printed', { printId: event.printId, failure: null });
    },
    onDeath: () => undefined,
  });
  started = process;
  const out = join(folder, 'out');
  const params = { project: file, reader: ben, request: request(['csv', 'pdf']), folder: out };
  const report = await process.call('export', params);
  expect(report).toEqual({ files: 4, runs: 3, skipped: [] });
  expect(events.filter(({ type }) => type === 'print')).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ type: 'progress', done: 3, total: 3 });
  // The project can still be written to.
  open.edit([{ kind: 'case-note', caseId: open.caseIdOf('volume'), before: null, after: 'meanwhile' }]);
  open.close();
});

it('a cancelled export leaves nothing', async () => {
  const stop = new AbortController();
  const process: ExportProcess = new ExportProcess(forkTransport(entry), {
    // Never printed: the export waits, until it is stopped.
    onEvent: ({ type }) => type === 'print' && stop.abort(),
    onDeath: () => undefined,
  });
  started = process;
  const out = join(folder, 'stopped');
  const params = { project: file, reader: ben, request: request(['trace', 'pdf']), folder: out };
  await expect(process.call('export', params, stop.signal)).rejects.toMatchObject({ code: 'cancelled' });
  expect(existsSync(out)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

it('says what is wrong with the file', async () => {
  const process = new ExportProcess(forkTransport(entry), {
    onEvent: () => undefined,
    onDeath: () => undefined,
  });
  started = process;
  const params = {
    project: join(folder, 'none'),
    reader: ben,
    request: request(['csv']),
    folder: join(folder, 'x'),
  };
  await expect(process.call('export', params)).rejects.toMatchObject({ code: 'file-not-found' });
});
