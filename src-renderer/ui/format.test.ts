import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatDuration, formatEstimate } from './format.ts';

test('numbers as people read them', () => {
  expect([0, 950, 1500, 7_751_872, 4.4e9, 999_700].map(formatBytes)).toEqual([
    '0 B',
    '950 B',
    '1.5 kB',
    '7.8 MB',
    '4.4 GB',
    '1.0 MB',
  ]);
  expect([40, 1200, 75_000, 3_725_000].map(formatDuration)).toEqual([
    '40 ms',
    '1.2 s',
    '1 min 15 s',
    '1 h 2 min',
  ]);
  expect([0, 40, 360, 7200].map(formatEstimate)).toEqual([
    'about 1 s',
    'about 40 s',
    'about 6 min',
    'about 2.0 h',
  ]);
  expect([512, 644_000, 3_900_000, 8.3e9].map(formatCount)).toEqual(['512', '644 k', '3.9 M', '8.3 B']);
});
