// Pages of a list of runs, and news that comes while somebody is further down.

interface Row { id: string }
export interface RunPage<R extends Row> { runs: R[]; next_cursor: string | null }

// `fresh`: the first page as it is now, whose rows are all there are down to its last. Rows that are there are replaced
// where they stand, new ones come first, and what is missing between them is gone (it fits the filter no more). When
// nothing of the fresh page is known there may be others in between: the list begins anew with it.
export function mergePages<R extends Row>(pages: readonly RunPage<R>[], fresh: RunPage<R>): RunPage<R>[] {
  const byId = new Map(fresh.runs.map((run) => [run.id, run]));
  const rows = pages.flatMap((page) => page.runs);
  const covered = rows.findLastIndex((run) => byId.has(run.id));
  if (covered < 0 || fresh.next_cursor === null) return [fresh];
  const known = new Set(rows.map((run) => run.id));
  const gone = new Set(rows.slice(0, covered).filter((run) => !byId.has(run.id)).map((run) => run.id));
  const merged = pages.map((page) => ({ ...page, runs: page.runs.filter((run) => !gone.has(run.id)).map((run) => byId.get(run.id) ?? run) }));
  merged[0] = { ...merged[0]!, runs: [...fresh.runs.filter((run) => !known.has(run.id)), ...merged[0]!.runs] };
  return merged;
}

export function patchPages<R extends Row>(pages: readonly RunPage<R>[], id: string, change: (run: R) => R): RunPage<R>[] {
  return pages.map((page) => (page.runs.some((run) => run.id === id) ? { ...page, runs: page.runs.map((run) => (run.id === id ? change(run) : run)) } : page));
}
