import { expect, test } from 'vitest';
import { ago, duration, dollars, lineText, momentOf } from './text';

const NOW = Date.parse('2026-11-30T12:00:00Z');
const before = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

test('how long something took', () => {
  const took = (ms: number) => duration(new Date(NOW).toISOString(), new Date(NOW + ms).toISOString());
  expect([999, 1000, 59_999, 60_000, 3_599_999, 3_600_000].map(took)).toEqual(['999 ms', '1.0 s', '59.9 s', '1 min 0 s', '59 min 59 s', '1 h 0 min']);
  expect([47.9, 48, 721.5].map((hours) => took(hours * 3_600_000))).toEqual(['47 h 54 min', '2 d 0 h', '30 d 1 h']);
});

test('how long ago something was, and a day when it was long ago', () => {
  expect([0, 59, 3599, 86_399, 86_400, 6.9 * 86_400].map((s) => ago(before(s), NOW))).toEqual(['now', '59 s ago', '59 min ago', '23 h ago', '1 day ago', '6 days ago']);
  expect(ago(before(30 * 86_400), NOW)).toContain('2026');
});

test('a month is a word', () => {
  expect(momentOf(NOW)).toMatch(/Nov/);
});

test('an input in one line', () => {
  expect([' Hi\n there', { order: 7, why: 'late', more: { a: 1 } }, [1, 2], 7].map(lineText)).toEqual([' Hi there', 'order: 7, why: late, more: {"a":1}', '[1,2]', '7']);
});

test('money has its sign before it', () => {
  expect(dollars('0.00017')).toBe('$0.00017');
});
