import { expect, test } from 'vitest';
import { itemRunId, itemRunOf, itemRunsShown, MOST_ITEMS, parentOf, type ItemRuns } from './item_runs';

const told = (part: number, items = 0, errors = 0) => ({ part, of: 3, items, errors, item_run: `run.each.${part - 1}` });
const folded = (...events: ReturnType<typeof told>[]) => events.reduce<ItemRuns | undefined>((before, data) => itemRunOf(before, data), undefined)!;

test('the runs of items are known by their indexes, and how they stand', () => {
  const runs = folded(told(1), told(2), told(3), told(3, 1), told(1, 0, 1), told(3));
  expect(runs.of).toBe(3);
  expect(itemRunsShown(runs, false, 10).map((one) => [one.index, one.status])).toEqual([[0, 'failed'], [1, 'running'], [2, 'completed']]);
  expect(itemRunsShown(runs, true, 2).map((one) => [one.index, one.status])).toEqual([[0, 'failed'], [1, 'stopped']]);
  expect(itemRunsShown(runs, false, 1)[0]!.run).toBe(itemRunId('run', 'each', 0));
});

test('what says nothing new is the same, and so is what has no runs', () => {
  const runs = folded(told(1));
  expect(itemRunOf(runs, told(1))).toBe(runs);
  expect(itemRunOf(runs, told(2))).not.toBe(runs);
  expect(itemRunOf(undefined, { part: 1, of: 3, items: 5, errors: 0 })).toBe(undefined);
});

test('so many are kept', () => {
  let runs: ItemRuns | undefined;
  for (let i = 1; i <= MOST_ITEMS + 5; i++) runs = itemRunOf(runs, told(i));
  expect(runs!.known.size).toBe(MOST_ITEMS);
  expect(itemRunOf(runs, told(1, 1))!.known.get(0)!.status).toBe('completed');
});

test('a run says whose item it is, or who called it', () => {
  expect(parentOf({ parent: { run: 'a', step: 2 }, item: { of: 'each', index: 0 } })).toEqual({ run: 'a', step: 2, of: 'each', index: 0 });
  expect(parentOf({ parent: { run: 'a', step: 2 } })).toEqual({ run: 'a', step: 2 });
  expect(parentOf({})).toBe(undefined);
});
