import { beforeEach, expect, test } from 'vitest';
import type { CaseRow } from '../../src-contract/project.ts';
import { FakeBridge } from '../testing/fake-bridge.ts';
import { noFilter, pageSize, useCases } from './cases-store.ts';

const row = (n: number): CaseRow => ({
  caseId: `case-${n}`,
  title: `Case ${n}`,
  modality: 'CT',
  synthetic: false,
  note: '',
  removed: false,
  assigned: [],
  runs: 1,
  done: 0,
  disagreement: null,
  lastQuestion: null,
  lastAnswer: null,
  lastRunAt: null,
});

let bridge: FakeBridge;
/** Answers that are on their way, in the order of asking. */
let onTheWay: (() => void)[];
beforeEach(() => {
  onTheWay = [];
  bridge = new FakeBridge().install();
  bridge.answers['project.cases'] = ({ offset, limit, filter }) =>
    new Promise((resolve) => {
      const total = filter?.text ? 1 : 10_000;
      const rows = Array.from({ length: Math.min(limit, total - offset) }, (_, n) => row(offset + n));
      onTheWay.push(() => resolve({ total, rows }));
    });
  useCases.setState({ filter: noFilter, pages: new Map(), total: null, failure: null, openCase: null });
});
const answerAll = async (): Promise<void> => {
  for (const answer of onTheWay.splice(0)) answer();
  await new Promise((resolve) => setTimeout(resolve));
};
const asked = (): unknown[] => bridge.called.map(({ params }) => (params as { offset: number }).offset);

test('pages are fetched once each, as they are needed', async () => {
  useCases.getState().reload();
  await answerAll();
  expect(useCases.getState().total).toBe(10_000);
  for (const page of [0, 40, 40, 41]) useCases.getState().need(page);
  await answerAll();
  expect(asked()).toEqual([0, 40 * pageSize, 41 * pageSize]);
  expect(useCases.getState().pages.get(40)?.[3]?.caseId).toBe('case-4003');
});

test('an answer to an older filter is dropped', async () => {
  useCases.getState().reload();
  useCases.getState().change({ text: 'lung' });
  const [older, newer] = onTheWay.splice(0);
  newer?.();
  await new Promise((resolve) => setTimeout(resolve));
  older?.();
  await new Promise((resolve) => setTimeout(resolve));
  expect(useCases.getState().total).toBe(1);
});

test('another order or filter leaves no row of the old one behind; a change in the list keeps rows until newer come', async () => {
  useCases.getState().reload();
  useCases.getState().need(40);
  await answerAll();
  useCases.getState().reload();
  await answerAll();
  expect([...useCases.getState().pages.keys()]).toEqual([0, 40]);
  useCases.getState().setSort('title');
  expect(useCases.getState().pages.size).toBe(2);
  await answerAll();
  expect([...useCases.getState().pages.keys()]).toEqual([0]);
  useCases.getState().need(40);
  await answerAll();
  expect([...useCases.getState().pages.keys()]).toEqual([0, 40]);
});

test('a failure is kept to be shown, and asking again tries again', async () => {
  const works = bridge.answers['project.cases'];
  bridge.answers['project.cases'] = () => Promise.reject(new Error('The project could not be read.'));
  useCases.getState().reload();
  await new Promise((resolve) => setTimeout(resolve));
  expect(useCases.getState().failure?.message).toMatch(/could not be read/);
  bridge.answers['project.cases'] = works;
  useCases.getState().reload();
  await answerAll();
  expect(useCases.getState().failure).toBeNull();
  expect(useCases.getState().total).toBe(10_000);
});
