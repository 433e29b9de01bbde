// Runs over time: how many began when, by how they stand.

export const GROUPS = ['completed', 'open', 'waiting', 'failed', 'stopped'] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<string, Group> = {
  completed: 'completed', failed: 'failed', timed_out: 'failed', parked: 'failed', canceled: 'stopped', terminated: 'stopped',
  pending: 'waiting', waiting: 'waiting', paused: 'waiting', budget: 'waiting', in_line: 'waiting',
};
export const groupOf = (status: string): Group => GROUP_OF[status] ?? 'open';

export interface Bin {
  from: number;
  to: number;
  total: number;
  counts: Record<Group, number>;
}

// As the server counts; bins without runs are left out.
export interface Counted {
  from: string;
  to: string;
  width_seconds: number;
  bins: readonly { from: string; total: number; counts: Record<string, number | undefined> }[];
}
export interface TimeRange { from?: string | undefined; to?: string | undefined }

export const MAX_BINS = 60;
const MIN_BINS = 24; // few wide bars would say little
const SECOND = 1000;

// What a filter by status shows of the words that are counted: a run that waits is running, too.
const COUNTED_AS: Record<string, readonly string[]> = { running: ['running', 'waiting', 'paused', 'parked'] };

// Bins of one width over all that was counted, the oldest first; none when nothing was.
export function binsOf(counted: Counted, status: string | undefined, open: boolean): Bin[] {
  const width = counted.width_seconds * SECOND;
  if (width === 0) return [];
  const begin = Math.floor(Date.parse(counted.from) / width);
  const count = Math.ceil(Date.parse(counted.to) / width) - begin;
  // Behind now there is nothing: an open end has room for more.
  const bins = Array.from({ length: Math.min(open ? Math.max(count, MIN_BINS) : count, 1000) }, (_, i): Bin => ({
    from: (begin + i) * width, to: (begin + i + 1) * width, total: 0, counts: { completed: 0, open: 0, waiting: 0, failed: 0, stopped: 0 },
  }));
  const words = status === undefined ? undefined : COUNTED_AS[status] ?? [status];
  for (const one of counted.bins) {
    const bin = bins[Math.floor(Date.parse(one.from) / width) - begin];
    if (!bin) continue;
    for (const [word, runs] of Object.entries(one.counts)) {
      if (runs === undefined || (words && !words.includes(word))) continue;
      bin.total += runs;
      bin.counts[groupOf(word)] += runs;
    }
  }
  return bins;
}

// What is shown around a range that was chosen: some of the time before and behind it, and enough for bins to be drawn over.
export function windowOf({ from, to }: TimeRange): TimeRange {
  if (!from || !to) return from ? { from } : {};
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const room = Math.max((end - begin) / 2, (MIN_BINS / 2) * SECOND);
  return { from: new Date(begin - room).toISOString(), to: new Date(end + room).toISOString() };
}

// Whether anything of a bin is in the range.
export function isIn(range: TimeRange): (bin: Bin) => boolean {
  const [from, to] = [range.from ? Date.parse(range.from) : -Infinity, range.to ? Date.parse(range.to) : Infinity];
  return (bin) => bin.to > from && bin.from < to;
}
