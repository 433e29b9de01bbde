import { expect, test } from 'vitest';
import { inputFieldsOf, inputOf } from './flow_input';

test('members of an input have fields of their own', () => {
  const fields = inputFieldsOf({ type: 'object', required: ['id'], properties: { a: { type: 'string' }, id: { type: 'integer' }, items: { type: 'array', items: { type: 'object' } }, scan: { type: 'object', format: 'file' } } });
  expect(fields.map((field) => [field.name, field.kind, field.required])).toEqual([['id', 'number', true], ['a', 'lines', false], ['items', 'json', false], ['scan', 'json', false]]);
  expect(inputOf(fields, { id: '7', items: '[{"price": 2}]', scan: '' })).toEqual({ id: 7, items: [{ price: 2 }] });
  expect(inputOf(fields, {})).toEqual({});
});

test('an input of another shape is typed as JSON, and need not be where nothing is asked', () => {
  for (const [schema, required] of [[undefined, false], [{ type: 'integer' }, true], [{ oneOf: [] }, true]] as const) {
    expect(inputFieldsOf(schema)).toMatchObject([{ kind: 'json', name: '', label: 'Input, as JSON', required }]);
  }
  expect(inputOf(inputFieldsOf(undefined), { '': '' })).toBe(undefined);
  expect(inputOf(inputFieldsOf(undefined), { '': '7' })).toBe(7);
});
