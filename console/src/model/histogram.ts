// Runs over time: how many began when, by how they stand.

export const GROUPS = ['completed', 'open', 'waiting', 'failed', 'stopped'] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<string, Group> = {
  completed: 'completed', failed: 'failed', timed_out: 'failed', parked: 'failed', canceled: 'stopped', terminated: 'stopped',
  pending: 'waiting', paused: 'waiting', budget: 'waiting', in_line: 'waiting',
};
export const groupOf = (status: string): Group => GROUP_OF[status] ?? 'open';

export interface Bin {
  from: number;
  to: number;
  total: number;
  counts: Record<Group, number>;
}

export const MAX_BINS = 60;
const MIN_BINS = 24; // few wide bars would say little: nothing began after the last run
const SECOND = 1000;
const STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400].map((s) => s * SECOND);

// Bins of one width over all of them, the oldest first; none when there is nothing.
export function binsOf<R extends { created_at: string }>(runs: readonly R[], statusOf: (run: R) => string): Bin[] {
  if (runs.length === 0) return [];
  const times = new Float64Array(runs.length);
  let [first, last] = [Infinity, -Infinity];
  for (let i = 0; i < runs.length; i++) {
    const at = times[i] = Date.parse(runs[i]!.created_at);
    if (at < first) first = at;
    if (at > last) last = at;
  }
  const count = (width: number) => Math.floor(last / width) - Math.floor(first / width) + 1;
  const step = STEPS.find((width) => count(width) <= MAX_BINS) ?? STEPS.at(-1)!;
  const begin = Math.floor(first / step);
  const bins = Array.from({ length: Math.min(Math.max(count(step), MIN_BINS), 1000) }, (_, i): Bin => ({
    from: (begin + i) * step, to: (begin + i + 1) * step, total: 0, counts: { completed: 0, open: 0, waiting: 0, failed: 0, stopped: 0 },
  }));
  for (let i = 0; i < runs.length; i++) {
    const bin = bins[Math.floor(times[i]! / step) - begin];
    if (!bin) continue;
    bin.total++;
    bin.counts[groupOf(statusOf(runs[i]!))]++;
  }
  return bins;
}

export interface TimeRange { from?: string | undefined; to?: string | undefined }

export function within(range: TimeRange): (run: { created_at: string }) => boolean {
  const from = range.from ? Date.parse(range.from) : -Infinity;
  const to = range.to ? Date.parse(range.to) : Infinity;
  return (run) => {
    const at = Date.parse(run.created_at);
    return at >= from && at < to;
  };
}
