import { expect, test } from 'vitest';
import { MAX_BINS, binsOf, within } from './histogram';

const at = Date.parse('2026-11-29T07:00:00Z');

test('every run is in one bin, and there are not too many', () => {
  for (const span of [0, 10, 999, 60_000, 86_400_000, 4e11]) {
    const runs = Array.from({ length: 200 }, (_, i) => ({ created_at: new Date(at + Math.floor((span * i) / 199)).toISOString(), status: ['completed', 'failed', 'running', 'pending'][i % 4]! }));
    const bins = binsOf(runs, (run) => run.status);
    expect(bins.length).toBeLessThanOrEqual(MAX_BINS);
    expect(bins.reduce((sum, bin) => sum + bin.total, 0)).toBe(200);
    expect(bins.reduce((sum, bin) => sum + bin.counts.waiting, 0)).toBe(50);
    for (const [i, bin] of bins.entries()) if (i > 0) expect(bin.from).toBe(bins[i - 1]!.to);
  }
  expect(binsOf([], () => '')).toEqual([]);
});

test('a range has its beginning and not its end', () => {
  const range = { from: '2026-11-29T07:00:00Z', to: '2026-11-29T08:00:00Z' };
  expect(within(range)({ created_at: '2026-11-29T07:00:00.000Z' })).toBe(true);
  expect(within(range)({ created_at: '2026-11-29T08:00:00.000Z' })).toBe(false);
  expect(within({ from: range.from })({ created_at: '2026-11-29T08:00:00.000Z' })).toBe(true);
});
