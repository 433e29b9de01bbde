import { expect, test } from 'vitest';
import { isEverybodys, nothingWords, whoseOf } from './whose';

test('an address says whose inbox it is, and what it cannot mean is left out', () => {
  expect(whoseOf(undefined, undefined)).toEqual({});
  expect(whoseOf('me', undefined)).toEqual({ for: 'me' });
  expect(whoseOf('me', ' law ')).toEqual({ for: 'me', team: 'law' });
  expect(whoseOf('team', 'law')).toEqual({ for: 'team' });
  expect(whoseOf('you', '  ')).toEqual({});
  expect(whoseOf(undefined, 'x'.repeat(1000)).team).toHaveLength(200);
});

test('only what limits nothing is everybody\u2019s', () => {
  expect([{}, { for: 'me' as const }, { team: 'law' }].map(isEverybodys)).toEqual([true, false, false]);
});

test('where nothing waits it is said of whom', () => {
  expect(nothingWords({})).toBe('No run waits for a person.');
  expect(nothingWords({ for: 'me' })).toBe('Nothing waits for you.');
  expect(nothingWords({ for: 'me', team: 'law' })).toBe('Nothing waits for you in an agent of team law.');
  expect(nothingWords({ team: 'law' })).toBe('Nothing waits in an agent of team law.');
  expect(nothingWords({ for: 'team' })).toContain('identity provider');
});
