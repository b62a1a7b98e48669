import { expect, test } from 'vitest';
import { fuzzyFilter, fuzzyScore } from './fuzzy.ts';

const titles = ['Shift left', 'Fit to window', 'Models', 'Boxes of the model', 'Window and level'];
const find = (query: string): string[] => fuzzyFilter(query, titles, (title) => title);

test('letters in order find a command, others do not', () => {
  expect(fuzzyScore('wnlv', 'Window and level')).not.toBeNull();
  expect(fuzzyScore('lw', 'window level')).toBeNull();
});

test('an unbroken beginning comes first', () => {
  expect(find('model')).toEqual(['Models', 'Boxes of the model']);
  expect(find('win')[0]).toBe('Window and level');
});

test('beginnings of words beat letters within them', () => {
  expect(find('ft')[0]).toBe('Fit to window');
});

test('nothing typed finds everything, in its order', () => {
  expect(find('  ')).toEqual(titles);
});

test('special characters are only letters', () => {
  expect(find('(.*')).toEqual([]);
});
