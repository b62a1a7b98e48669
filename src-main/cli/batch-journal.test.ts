import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BatchJournal } from './batch-journal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'readroom-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('continues after a kill, doing a half-written record and failed ones again', () => {
  const output = join(folder, 'new', 'out.json');
  const first = BatchJournal.open(output, { input: 'a' });
  first.add(0, { answer: 'A', error: '' });
  first.add(1, { answer: null, error: 'file not found' });
  first.close();
  appendFileSync(first.path, '{"index": 2, "output": {"ans');

  const second = BatchJournal.open(output, { input: 'a' });
  expect([...second.done.keys()]).toEqual([0]);
  second.add(2, { answer: 'C', error: '' });
  second.close();
  const third = BatchJournal.open(output, { input: 'a' });
  expect([...third.done.entries()]).toEqual([
    [0, { answer: 'A', error: '' }],
    [2, { answer: 'C', error: '' }],
  ]);
  third.finish('[]\n');
  expect(readFileSync(output, 'utf8')).toBe('[]\n');
  expect(existsSync(third.path)).toBe(false);
});

it('tries failed records again after the end, and makes way for another batch', () => {
  const output = join(folder, 'out.json');
  const first = BatchJournal.open(output, { input: 'a' });
  first.add(0, { answer: 'A', error: '' });
  first.add(1, { answer: null, error: 'file not found' });
  expect(first.failed).toBe(1);
  first.finish('[1]\n');
  const again = BatchJournal.open(output, { input: 'a' });
  expect([...again.done.keys()]).toEqual([0]);
  again.add(1, { answer: null, error: 'still not found' });
  again.finish('[2]\n');
  const other = BatchJournal.open(output, { input: 'b' });
  expect(other.done.size).toBe(0);
  other.add(0, { answer: 'B', error: '' });
  other.finish('[3]\n');
  expect(existsSync(other.path)).toBe(false);
});

it('refuses the journal of another batch', () => {
  const output = join(folder, 'out.json');
  BatchJournal.open(output, { input: 'a' }).close();
  expect(() => BatchJournal.open(output, { input: 'b' })).toThrow(/another batch/);
});
