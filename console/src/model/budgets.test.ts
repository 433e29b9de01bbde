import { expect, test } from 'vitest';
import { otherBudgets, partsOf, raised } from './budgets';

test('what is used and held counts against a limit', () => {
  expect(partsOf({ tokens: { limit: 1000, used: 200, held: 300 }, money: { limit: '2.00 USD', used: '2.50 USD', held: '0.00 USD' }, on_budget: 'park' })).toEqual([
    { name: 'tokens', limit: '1,000', used: '200', share: 0.5 }, { name: 'money', limit: '$2.00', used: '$2.50', share: 1.25 },
  ]);
  expect(partsOf({ calls: { limit: 0, used: 0, held: 0 } })[0]!.share).toBe(1); // nothing may be used
  expect(otherBudgets({ depth: { limit: 2 } })).toEqual(['2 levels of sub-agents']);
});

test('a new limit is a whole number, or money', () => {
  expect(raised('tokens', ' 2000 ')).toEqual({ tokens: 2000 });
  expect(raised('money', '5.50 USD')).toEqual({ money: '5.50 USD' });
  expect(raised('money', '$5.50')).toEqual({ money: '5.50 USD' });
  for (const wrong of ['', 'much', '-1', '1.5']) expect(raised('calls', wrong)).toBeUndefined();
});
