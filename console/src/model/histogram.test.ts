import { expect, test } from 'vitest';
import { binsOf, windowOf, type Counted } from './histogram';

const counted = (from: string, to: string, width: number, bins: Counted['bins'] = []): Counted => ({ from, to, width_seconds: width, bins });

test('bins are of one width, and each count is in the one where it began', () => {
  const bins = binsOf(counted('2026-11-29T07:00:30Z', '2026-11-29T08:00:00Z', 60, [
    { from: '2026-11-29T07:00:00Z', total: 3, counts: { completed: 1, waiting: 2 } },
    { from: '2026-11-29T07:59:00Z', total: 2, counts: { timed_out: 1, terminated: 1 } },
  ]), undefined, false);
  expect(bins.length).toBe(60);
  for (const [i, bin] of bins.entries()) if (i > 0) expect(bin.from).toBe(bins[i - 1]!.to);
  expect(bins[0]).toMatchObject({ from: Date.parse('2026-11-29T07:00:00Z'), total: 3, counts: { completed: 1, waiting: 2 } });
  expect(bins[59]).toMatchObject({ total: 2, counts: { failed: 1, stopped: 1 } });
  expect(binsOf(counted('2026-11-29T07:00:00Z', '2026-11-29T07:00:00Z', 0), undefined, true)).toEqual([]);
});

test('an open end has room for what comes; a chosen one has none that was not counted', () => {
  const few = counted('2026-11-29T07:00:00Z', '2026-11-29T07:00:02Z', 1);
  expect(binsOf(few, undefined, true).length).toBe(24);
  expect(binsOf(few, undefined, false).length).toBe(2);
});

test('a filter by status counts what the list shows', () => {
  const all = counted('2026-11-29T07:00:00Z', '2026-11-29T07:00:01Z', 1, [{ from: '2026-11-29T07:00:00Z', total: 6, counts: { running: 1, waiting: 1, paused: 1, parked: 1, failed: 2 } }]);
  expect(binsOf(all, 'running', false)[0]!.total).toBe(4);
  expect(binsOf(all, 'paused', false)[0]!.total).toBe(1);
  expect(binsOf(all, 'failed', false)[0]!.counts.failed).toBe(2);
});

test('around a range there is room to draw another one', () => {
  expect(windowOf({})).toEqual({});
  expect(windowOf({ from: '2026-11-29T07:00:00.000Z', to: '2026-11-29T08:00:00.000Z' })).toEqual({ from: '2026-11-29T06:30:00.000Z', to: '2026-11-29T08:30:00.000Z' });
  expect(windowOf({ from: '2026-11-29T07:00:12.000Z', to: '2026-11-29T07:00:13.000Z' })).toEqual({ from: '2026-11-29T07:00:00.000Z', to: '2026-11-29T07:00:25.000Z' });
  expect(windowOf({ from: '2026-11-29T07:00:00.000Z' })).toEqual({ from: '2026-11-29T07:00:00.000Z' });
});
