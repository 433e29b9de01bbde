import { expect, test } from 'vitest';
import { linesOf, localOf, momentOfLocal, runOf, sinceOf } from './record';

const NOW = Date.parse('2026-11-29T12:00:30.500Z');

test('the last day is asked for, unless somebody says since when', () => {
  expect(sinceOf({}, NOW)).toBe('2026-11-28T12:00:00.000Z');
  expect(sinceOf({}, NOW + 20_000)).toBe(sinceOf({}, NOW));
  expect(sinceOf({ from: '2026-01-01T00:00:00.000Z' }, NOW)).toBe('2026-01-01T00:00:00.000Z');
});

test('a file has a row a line, as the command line writes it', () => {
  const row = { detail: { version: 2 }, id: 7, at: '2026-11-29T09:00:00.000Z', principal: 'ada', kind: 'secret.set', subject: 'TOKEN' };
  expect(linesOf([row, row]).split('\n')).toEqual([...Array(2).fill('{"id":7,"at":"2026-11-29T09:00:00.000Z","principal":"ada","kind":"secret.set","subject":"TOKEN","detail":{"version":2}}'), '']);
  expect(linesOf([])).toBe('');
});

test('a row about a run leads to it', () => {
  const row = { id: 1, at: '', principal: 'ada', subject: 'order-7' };
  expect([runOf({ ...row, kind: 'run.ended' }), runOf({ ...row, kind: 'secret.set' })]).toEqual(['order-7', undefined]);
});

test('a moment that was typed is that moment, and goes back into its field', () => {
  expect(momentOfLocal(localOf('2026-11-29T09:05:00.000Z'))).toBe('2026-11-29T09:05:00.000Z');
  expect([momentOfLocal(''), momentOfLocal('x'), localOf(undefined)]).toEqual([undefined, undefined, '']);
});
