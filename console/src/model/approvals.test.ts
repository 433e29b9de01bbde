import { expect, test } from 'vitest';
import { askedOfLog, askedOfRecord, changesOf, editedArguments, groupsOf, keepSeen, lineOfAsked, questionOf, whoWords } from './approvals';

const row = (id: string, at: string, status = 'pending', run = 'r') => ({ id, run, tool: 'pay', status, requested_at: at });

test('what is sent in the place of arguments is an object', () => {
  expect(editedArguments('{"amount": 20}')).toEqual({ value: { amount: 20 } });
  expect(editedArguments('[20]').wrong).toBe('arguments are a JSON object');
  expect(editedArguments('{"amount": ').wrong).toBeTruthy();
});

test('what one decides is a line: the question, or the arguments', () => {
  expect(lineOfAsked({ ...row('a', ''), arguments: { order: 1042, note: 'two\n lines', items: [1] } })).toBe('order: 1042, note: two lines, items: [1]');
  expect(lineOfAsked({ ...row('a', ''), arguments: { question: 'Which?' }, question: { text: 'Which of them?' } })).toBe('Which of them?');
  expect(lineOfAsked(row('a', ''))).toBe('');
  expect(lineOfAsked({ ...row('a', ''), arguments: { text: 'x'.repeat(500) } })).toHaveLength(120);
});

test('an edit is told by the names that it changes', () => {
  expect(changesOf('{"amount":250,"to":"ada"}', { amount: 20, to: 'ada', note: 'part' })).toEqual([
    { name: 'amount', before: '250', after: '20' }, { name: 'note', before: undefined, after: '"part"' },
  ]);
  expect(changesOf({ amount: 250 }, {})).toEqual([{ name: 'amount', before: '250', after: undefined }]);
});

test('what one run asks stands together, in the order in which it was asked', () => {
  const groups = groupsOf([row('c', '3', 'pending', 'x'), row('b', '2', 'pending', 'y'), row('a', '1', 'pending', 'x')]);
  expect(groups.map((group) => [group.run, group.rows.map((one) => one.id).join('')])).toEqual([['x', 'ac'], ['y', 'b']]);
});

test('what is decided stays where it stood, and its end is asked for once', () => {
  const first = keepSeen([], [row('b', '2'), row('a', '1')]);
  expect(first.left).toEqual([]);
  const second = keepSeen(first.rows, [row('c', '3'), row('a', '1')]);
  expect(second.rows.map((one) => one.id)).toEqual(['c', 'b', 'a']);
  expect(second.left).toEqual(['b']);
  const told = second.rows.map((one) => (one.id === 'b' ? { ...one, status: 'rejected' } : one));
  const third = keepSeen(told, [row('c', '3'), row('a', '1'), row('0', '0')]);
  expect(third.rows.map((one) => one.id + one.status[0])).toEqual(['cp', 'br', 'ap', '0p']);
  expect(third.left).toEqual([]);
});

test('a question is told from an approval, in a log as in a record', () => {
  expect(askedOfRecord({ ...row('a', '1'), kind: 'question' }).isQuestion).toBe(true);
  expect(askedOfRecord(row('a', '1')).isQuestion).toBe(false);
  expect(askedOfLog('r', { id: 'a', tool: 'ask', data: { kind: 'question' } }).isQuestion).toBe(true);
  expect(questionOf({})).toBe(undefined);
  expect(questionOf({ question: { text: 'Refund?', form: {}, people: ['ann'], default: { answer: 'no' } } })).toEqual({ text: 'Refund?', form: {}, people: ['ann'], roles: [], fallback: { answer: 'no' } });
});

test('who may answer is told in words', () => {
  expect(whoWords([], [])).toBe('');
  expect(whoWords(['ann'], [])).toBe('ann');
  expect(whoWords(['ann', 'bob'], ['admin'])).toBe('ann, bob or whoever is admin');
});
