// How a run stands, in the words of list and detail alike.

export interface Standing {
  status: string; // a run's, or 'pending' (a person is asked), 'paused', 'parked', 'budget', 'in_line'
  open: boolean;
}

interface Told {
  status: string;
  waiting_on?: string | null;
  hold?: { state?: string };
}

const OPEN = new Set(['queued', 'running']);

export function standingOf(run: Told): Standing {
  if (!OPEN.has(run.status)) return { status: run.status, open: false };
  if (run.waiting_on === 'approval') return { status: 'pending', open: true };
  if (run.hold?.state) return { status: run.hold.state, open: true };
  if (run.waiting_on === 'budget') return { status: 'budget', open: true };
  if (run.waiting_on === 'conversation' || run.waiting_on === 'flow') return { status: 'in_line', open: true };
  return { status: run.status, open: true };
}
