import { expect, test } from 'vitest';
import { answerOf, fieldSpokenOf, fieldsOfForm, filesIn, initialOf } from './form';

const FORM = {
  properties: {
    refund: { type: 'boolean', title: 'Give the money back?' },
    amount: { type: 'integer', minimum: 1, maximum: 500, default: 20 },
    why: { enum: ['broken', 'lost', 3], default: 'lost' },
    tags: { type: 'array', items: { enum: ['a', 'b', 'c'] } },
    mail: { type: 'string', format: 'email' },
    note: { type: 'string', maxLength: 80, description: 'For the books' },
    long: { type: 'string' },
    more: { type: 'object' },
  },
  required: ['refund', 'why'],
};

test('each kind of member has a field of its own, and whatever else is typed as JSON', () => {
  const fields = fieldsOfForm(FORM);
  expect(fields.map((field) => [field.name, field.kind])).toEqual([
    ['refund', 'yes_no'], ['amount', 'number'], ['why', 'one'], ['tags', 'some'], ['mail', 'text'], ['note', 'text'], ['long', 'lines'], ['more', 'json'],
  ]);
  expect(fields[0]).toMatchObject({ label: 'Give the money back?', required: true });
  expect(fields[1]).toMatchObject({ initial: '20', bounds: { min: 1, max: 500 }, required: false });
  expect(fields[2]).toMatchObject({ initial: '1' });
  expect(fields[4]).toMatchObject({ inputType: 'email' });
  expect(fields[5]).toMatchObject({ maxLength: 80, hint: 'For the books' });
});

test('fields stand in the order in which they were written', () => {
  const names = (form: unknown) => fieldsOfForm(form).map((field) => field.name);
  const properties = { amount: {}, reason: {}, zip: {} };
  expect(names({ properties })).toEqual(['amount', 'reason', 'zip']);
  expect(names({ properties, 'x-holdfast-order': ['reason', 'zip', 'amount'] })).toEqual(['reason', 'zip', 'amount']);
  expect(names({ properties, 'x-holdfast-order': ['zip', 'gone', 7, 'zip'] })).toEqual(['zip', 'amount', 'reason']);
});

test('a form that is composed, empty or too long is one field', () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`f${i}`, { type: 'string' }]));
  for (const form of [{}, { oneOf: [] }, { properties: { a: {} }, if: {} }, { properties: many }]) {
    expect(fieldsOfForm(form)).toMatchObject([{ kind: 'json', name: '', required: true }]);
  }
  expect(answerOf(fieldsOfForm({}), { '': '{"a": 1}' })).toEqual({ a: 1 });
});

test('what was typed is an answer of the types of the form', () => {
  const fields = fieldsOfForm(FORM);
  expect(answerOf(fields, initialOf(fields))).toEqual({ amount: 20, why: 'lost' });
  expect(answerOf(fields, { refund: 'false', amount: '', why: '2', tags: ['2', '0'], mail: '', note: '7', more: '{"x": [1]}' }))
    .toEqual({ refund: false, why: 3, tags: ['a', 'c'], note: '7', more: { x: [1] } });
  // What does not fit goes as it is: the server says why.
  expect(answerOf(fields, { amount: 'much', more: '{' })).toEqual({ amount: 'much', more: '{' });
  expect(answerOf(fields, { amount: '9007199254740993' })).toEqual({ amount: '9007199254740993' });
});

test('what the server finds wrong is told at the field that it names', () => {
  const fields = fieldsOfForm({ properties: { why: {}, 'why.not': {}, tags: {} } });
  expect(fieldSpokenOf('`why` is missing', fields)).toBe('why');
  expect(fieldSpokenOf('`tags[1]` must be one of ["a"]', fields)).toBe('tags');
  expect(fieldSpokenOf('`why.not` must be a string', fields)).toBe('why.not');
  expect(fieldSpokenOf('`whyever` is not allowed', fields)).toBe(undefined);
  expect(fieldSpokenOf('the arguments must have at least 1 member; `why` may be one', fields)).toBe(undefined);
});

test('a file is named in the answer by what the server knows of it', () => {
  const fields = fieldsOfForm({ properties: { receipt: { type: 'object', format: 'file', accept: ['image/*', 'application/pdf'], maxBytes: 2000 }, any: { type: 'object', format: 'file', accept: ['text/plain'] } }, required: ['receipt'] });
  expect(fields[0]).toMatchObject({ kind: 'file', accept: ['image/*', 'application/pdf'], maxBytes: 2000, required: true, initial: '' });
  expect(fields[1]!.maxBytes).toBe(3 * 1024 * 1024);
  expect(answerOf(fields, { receipt: '{"blob":"9f86","name":"r.png"}', any: '' })).toEqual({ receipt: { blob: '9f86', name: 'r.png' } });
  expect(fieldSpokenOf('`receipt`: the file is text/html', fields)).toBe('receipt');
});

test('files of an answer are found, and nothing else is taken for one', () => {
  const blob = '9f'.repeat(32);
  expect(filesIn(JSON.stringify({ receipt: { blob, name: 'r.png' }, other: { blob }, note: 'x', odd: { blob: '../../x' } }))).toEqual([
    { field: 'receipt', blob, name: 'r.png' }, { field: 'other', blob, name: 'other' },
  ]);
  expect(filesIn(undefined)).toEqual([]);
});
