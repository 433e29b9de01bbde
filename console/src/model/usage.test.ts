import { expect, test } from 'vitest';
import { costWords, dayPoints, isDay, usdOf } from './usage';

test('unpriced is not free', () => {
  expect(costWords({ model_calls: 2, cost: null, unpriced_calls: 2 })).toBe('unpriced');
  expect(usdOf({ model_calls: 2, cost: null, unpriced_calls: 2 })).toBeNull();
  expect(costWords({ model_calls: 2, cost: { usd: '0.50', without_unpriced_calls: 1 } })).toBe('$0.50 + 1 unpriced');
  expect(costWords({ tool_calls: 3, cost: null })).toBe('');
  expect(costWords({ model_calls: 1, cost: { usd: '0.00' } })).toBe('$0.00');
});

test('every day of a range is a point', () => {
  const points = dayPoints([{ day: '2026-03-01', model_calls: 1, input_tokens: 3, output_tokens: 4, cost: { usd: '1.25' } }, { day: '2026-02-28', model_calls: 1, cost: null }], '2026-02-27', '2026-03-02');
  expect(points.map((point) => [point.day, point.usd, point.tokens])).toEqual([['2026-02-27', 0, 0], ['2026-02-28', null, 0], ['2026-03-01', 1.25, 7], ['2026-03-02', 0, 0]]);
  expect(dayPoints([], '1970-01-01', '2026-03-02').length).toBe(1000);
  expect([isDay('2026-02-28'), isDay('2026-02-30'), isDay('x')]).toEqual([true, false, false]);
});
