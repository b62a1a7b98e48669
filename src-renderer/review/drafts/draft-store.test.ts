import { beforeEach, expect, test, vi } from 'vitest';
import type { ProjectView } from '../../../src-contract/project.ts';
import { useProject } from '../../project/project-store.ts';
import { type Draft, draftKey, dropDraft, hasDrafts, putDraft, useDrafts } from './draft-store.ts';

const nothing: Draft = { kind: 'reject', reasons: [], comment: '' };
const typed: Draft = { kind: 'reject', reasons: ['nothing-there'], comment: 'air' };
const reads = (readerId: string): void =>
  useProject.setState({ view: { projectId: 'p', readerId } as ProjectView });
const drafts = () => useDrafts.getState().drafts;

beforeEach(() => {
  useDrafts.setState({ drafts: {} });
  reads('ada');
});

test('a draft stays until it is discarded, or typed back to what is saved', () => {
  const [first, second] = [draftKey('run', 'reject:0'), draftKey('run', 'reject:1')];
  putDraft(first, typed, nothing);
  putDraft(second, typed, nothing);
  expect(drafts()).toEqual({ [first]: typed, [second]: typed });
  putDraft(first, nothing, nothing);
  expect(drafts()).toEqual({ [second]: typed });
  dropDraft(second);
  expect(drafts()).toEqual({});
});

test('what was typed while the words before were on their way to the disk is not dropped with them', () => {
  const key = draftKey('run', 'comment');
  const saved: Draft = { kind: 'words', text: '' };
  putDraft(key, { kind: 'words', text: 'one' }, saved);
  putDraft(key, { kind: 'words', text: 'one two' }, saved);
  dropDraft(key, { kind: 'words', text: 'one' });
  expect(drafts()[key]).toEqual({ kind: 'words', text: 'one two' });
  dropDraft(key, { kind: 'words', text: 'one two' });
  expect(drafts()).toEqual({});
});

test('each reader, run and form has drafts of its own', () => {
  putDraft(draftKey('run', 'answer'), { kind: 'answer', letter: 'B', text: '' }, nothing);
  expect(hasDrafts(useDrafts.getState(), 'run')).toBe(true);
  expect(hasDrafts(useDrafts.getState(), 'ru')).toBe(false);
  expect(drafts()[draftKey('run', 'reject:0')]).toBeUndefined();
  reads('ben');
  expect(hasDrafts(useDrafts.getState(), 'run')).toBe(false);
  expect(drafts()[draftKey('run', 'answer')]).toBeUndefined();
});

test('a page that is loaded anew has the drafts of the one before; what it can’t read it leaves', async () => {
  const shelf = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => shelf.get(key) ?? null,
    setItem: (key: string, value: string) => void shelf.set(key, value),
  });
  try {
    const key = draftKey('run', 'reject:0');
    putDraft(key, typed, nothing);
    vi.resetModules();
    expect((await import('./draft-store.ts')).useDrafts.getState().drafts).toEqual({ [key]: typed });
    for (const name of shelf.keys()) shelf.set(name, '{"a":{"kind":"reject","reasons":["no such"]}}');
    vi.resetModules();
    expect((await import('./draft-store.ts')).useDrafts.getState().drafts).toEqual({});
  } finally {
    vi.unstubAllGlobals();
  }
});
