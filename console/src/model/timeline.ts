// The steps of a run over its time: pure.

import { numberOf, type Fields } from './events';
import type { RunLog } from './run_log';

export interface TimelineRow {
  key: string;
  step: number;
  name: string;
  status: string; // a step's; 'failed' also for an error that the model was told; 'waiting' for a person
  startedAt: string;
  endedAt: string;
  from: number;
  to: number;
  attempts: number;
  data: Fields;
}

export function timelineOf(log: RunLog, now: number): { rows: TimelineRow[]; from: number; to: number } {
  const rows: TimelineRow[] = [];
  const end = log.endedAt ? Date.parse(log.endedAt) : now;
  for (const item of log.items) {
    if (item.kind !== 'step' && item.kind !== 'approval') continue;
    const isStep = item.kind === 'step';
    const startedAt = isStep ? item.startedAt : item.at;
    const endedAt = isStep ? item.endedAt : item.decidedAt || log.endedAt;
    rows.push({
      key: item.key, step: item.step, startedAt, endedAt, data: isStep ? item.data : {},
      name: isStep ? item.name || item.tool : 'waits for a person',
      status: isStep ? (item.data['is_error'] === true ? 'failed' : item.status) : 'waiting',
      from: Date.parse(startedAt), to: endedAt ? Date.parse(endedAt) : end,
      attempts: isStep ? (numberOf(item.data['attempt']) ?? 1) : 1,
    });
  }
  const from = log.startedAt ? Date.parse(log.startedAt) : rows.reduce((least, row) => Math.min(least, row.from), end);
  return { rows, from, to: Math.max(from + 1, rows.reduce((most, row) => Math.max(most, row.to), from)) };
}
