import { expect, test } from 'vitest';
import { mergePages, patchPages } from './run_pages';

const page = (next: string | null, ...rows: string[]) => ({ runs: rows.map((row) => ({ id: row[0]!, status: row.slice(1) })), next_cursor: next });
const rows = (pages: { runs: { id: string; status: string }[] }[]) => pages.map((one) => one.runs.map((run) => run.id + run.status).join(' '));

test('news replaces rows where they stand and puts new ones first', () => {
  const merged = mergePages([page('x', 'c1', 'b1'), page(null, 'a1')], page('y', 'd2', 'c2', 'b1'));
  expect(rows(merged)).toEqual(['d2 c2 b1', 'a1']);
  expect(merged[0]!.next_cursor).toBe('x');
});

test('when more came than one page holds the list begins anew', () => {
  expect(rows(mergePages([page('x', 'a1')], page('y', 'z1', 'y1')))).toEqual(['z1 y1']);
});

test('what fits no more is gone, what is further down stays', () => {
  expect(rows(mergePages([page('x', 'd1', 'c1', 'b1'), page(null, 'a1')], page('y', 'd1', 'b2')))).toEqual(['d1 b2', 'a1']);
  expect(rows(mergePages([page(null, 'd1', 'c1')], page(null)))).toEqual(['']);
  expect(rows(mergePages([page('x', 'd1'), page(null, 'a1')], page(null, 'd1')))).toEqual(['d1']);
});

test('one row changes', () => {
  const pages = [page('x', 'c1'), page(null, 'a1')];
  const patched = patchPages(pages, 'a', (run) => ({ ...run, status: '9' }));
  expect(rows(patched)).toEqual(['c1', 'a9']);
  expect(patched[0]).toBe(pages[0]);
});
