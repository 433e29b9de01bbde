import { expect, test } from 'vitest';
import { decidedWords, effectOf, fourEyesWords, termsOf, votesWords, whoMay } from './terms';

const RECORD = {
  id: 'ap-1', rule: 'large', need: 2, have: 1, who: ['cashier', 'user:zoe'], four_eyes: true, requester: 'ann', votes: [{ by: 'bob', at: '2026-01-01T00:00:00Z' }],
  escalation: [{ at: '2026-01-02T00:00:00Z', to: ['admin'] }], escalated: 1,
};

test('the terms of an approval are read from its record', () => {
  const terms = termsOf(RECORD)!;
  expect(terms).toMatchObject({ rule: 'large', need: 2, have: 1, fourEyes: true, requester: 'ann', escalated: 1 });
  expect(terms.escalation).toEqual([{ at: Date.parse('2026-01-02T00:00:00Z'), to: ['admin'] }]);
  expect(termsOf({ id: 'ap-1' })).toBe(undefined);
  expect(termsOf(undefined)).toBe(undefined);
});

test('terms are told in words', () => {
  const terms = termsOf(RECORD)!;
  expect(whoMay(terms.who)).toBe('whoever is cashier or zoe');
  expect(whoMay([])).toBe('');
  expect(votesWords(terms)).toBe('1 of 2, by bob');
  expect(votesWords({ ...terms, have: 0, votes: [] })).toBe('0 of 2');
  expect(fourEyesWords(terms)).toBe('not ann, who started the run');
  expect(fourEyesWords({ ...terms, requester: '' })).toContain('two people');
});

test('what a call does to the world is what its tool declares', () => {
  const definition = { spec: { tools: [{ name: 'pay', effect: 'at_most_once' }, { name: 'look' }] } };
  expect(effectOf(definition, 'pay')).toBe('at_most_once');
  expect(effectOf(definition, 'look')).toBe(undefined);
  expect(effectOf(undefined, 'pay')).toBe(undefined);
});

test('who else approved is told, and how far it goes', () => {
  expect(decidedWords({ votes: [{ by: 'bob' }, { by: 'cleo' }], scope: 'run' })).toBe('approved by bob and cleo, for this run');
  expect(decidedWords({ votes: [{ by: 'bob' }] })).toBe('');
  expect(decidedWords({})).toBe('');
});

test('the answer to a question has who may give it, and nothing that is counted', () => {
  const terms = termsOf({ id: 'q-1', kind: 'question', rule: 'all', who: ['admin'], four_eyes: false, escalation: [], escalated: 0 })!;
  expect(terms).toMatchObject({ rule: 'all', need: 1, have: 0, who: ['admin'], votes: [] });
});
