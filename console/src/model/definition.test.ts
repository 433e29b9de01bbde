import { expect, test } from 'vitest';
import { contextFields, contextValue } from './definition';

const definition = { spec: { tools: [
  { name: 'orders', parameters: { properties: { customer: { type: 'integer', description: 'Who asks' }, tenant: { type: 'string' } }, required: ['customer'] }, bind: { tenant: { value: 'acme' }, customer: { run: 'customer_id' } } },
  { name: 'refund', parameters: { properties: { who: { type: 'integer' }, tier: { enum: ['gold', 'basic'] } } }, bind: { who: { run: 'customer_id' }, tier: { run: 'tier' } } },
] } };

test('a run is asked for what tools bind of it, once', () => {
  expect(contextFields(definition)).toEqual([
    { name: 'customer_id', type: 'integer', says: 'Who asks', choices: [], required: true },
    { name: 'tier', type: '', says: 'refund: tier', choices: ['gold', 'basic'], required: false },
  ]);
  expect(contextFields({})).toEqual([]);
});

test('what is typed has the type', () => {
  const [customer, tier] = contextFields(definition) as [never, never];
  expect(contextValue(customer, '42')).toBe(42);
  expect(() => contextValue(customer, '4.2')).toThrow('whole number');
  expect(contextValue(tier, 'gold')).toBe('gold');
});
