// Items of a map, or rounds of a loop, that are runs of their own, as the log of the run that goes over them tells of them
// (src/flows/perform/item_runs.cc). Pure.

import { fieldsOf, numberOf, textOf, type Fields } from './events';

export type ItemStatus = 'running' | 'completed' | 'failed' | 'stopped';
export interface ItemRun { index: number; run: string; status: ItemStatus }
// By their indexes. One of a step grows with it; it is another object whenever it says something new.
export interface ItemRuns { known: Map<number, ItemRun>; of: number }

// The server tells of some 1,000 at most, and of those that failed.
export const MOST_ITEMS = 2000;

// What an event of a step adds to them; the same ones: nothing.
export function itemRunOf(before: ItemRuns | undefined, data: Fields): ItemRuns | undefined {
  const run = textOf(data['item_run']);
  const part = numberOf(data['part']);
  if (!run || part === undefined) return before;
  const known = before?.known ?? new Map<number, ItemRun>();
  const index = part - 1;
  const was = known.get(index);
  const status = numberOf(data['errors']) ? 'failed' : numberOf(data['items']) ? 'completed' : 'running';
  // It begins in the log of the run above by its own activity: that may be told late.
  if (was && (was.status === status || status === 'running')) return before;
  if (!was && known.size >= MOST_ITEMS) return before;
  known.set(index, { index, run, status });
  return { known, of: numberOf(data['of']) ?? before?.of ?? known.size };
}

const RANK: Record<ItemStatus, number> = { failed: 0, running: 1, stopped: 2, completed: 3 };

// Who looks wants those that failed, then those that are under way. `over`: the step is.
export function itemRunsShown({ known }: ItemRuns, over: boolean, most: number): ItemRun[] {
  const all = [...known.values()].map((one): ItemRun => (over && one.status === 'running' ? { ...one, status: 'stopped' } : one));
  return all.sort((a, b) => RANK[a.status] - RANK[b.status] || a.index - b.index).slice(0, most);
}

// The id of an item's run follows from what it is an item of.
export const itemRunId = (run: string, block: string, index: number): string => `${run}.${block}.${index}`;

// Of the run.started of a run that another one began. `of`: it is an item of that block.
export interface Parent { run: string; step: number; of?: string; index?: number }

export function parentOf(data: Fields): Parent | undefined {
  const parent = fieldsOf(data['parent']);
  const run = textOf(parent['run']);
  const step = numberOf(parent['step']);
  if (!run || step === undefined) return undefined;
  const item = fieldsOf(data['item']);
  const [of, index] = [textOf(item['of']), numberOf(item['index'])];
  return of && index !== undefined ? { run, step, of, index } : { run, step };
}
