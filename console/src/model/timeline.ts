// The steps of a run over its time: pure.

import { numberOf, textOf, type Fields } from './events';
import type { ApprovalItem, RunLog, StepItem } from './run_log';

export interface TimelineRow {
  key: string;
  step: number;
  within: number | undefined; // the step of the code that made the call
  name: string; // of what a model said, the beginning
  by: string; // the model, the tool
  status: string; // a step's; 'failed' also for an error that the model was told; 'waiting' for a person
  startedAt: string;
  endedAt: string;
  from: number;
  to: number;
  attempts: number;
  data: Fields;
}

// `most`: so many rows, the newest.
export function timelineOf(log: RunLog, now: number, most: number): { rows: TimelineRow[]; total: number; from: number; to: number } {
  const shown = log.items.filter((item): item is StepItem | ApprovalItem => item.kind === 'step' || item.kind === 'approval');
  const end = log.endedAt ? Date.parse(log.endedAt) : now;
  const rows = shown.slice(-most).map((item) => rowOf(item, log.endedAt, end));
  const from = log.startedAt ? Date.parse(log.startedAt) : rows.reduce((least, row) => Math.min(least, row.from), end);
  return { rows, total: shown.length, from, to: Math.max(from + 1, rows.reduce((latest, row) => Math.max(latest, row.to), from)) };
}

const MAX_SAID = 80; // characters

// The first words of a model, without their form: of ten steps of one model, which was it?
function saidBy(item: StepItem): string {
  const text = (item.tool === 'model' ? (item.stream?.text ?? textOf(item.data['text'])) : '').slice(0, 4 * MAX_SAID);
  return /^\s*[{[]/.test(text) ? '' : text.replaceAll(/^[#>\s-]+|[*`]/gm, '').replaceAll(/\s+/g, ' ').trim().slice(0, MAX_SAID);
}

function rowOf(item: StepItem | ApprovalItem, closedAt: string, end: number): TimelineRow {
  const isStep = item.kind === 'step';
  const startedAt = isStep ? item.startedAt : item.at;
  const endedAt = isStep ? item.endedAt : item.decidedAt || closedAt;
  return {
    key: item.key, step: item.step, within: item.within, startedAt, endedAt, data: isStep ? item.data : {},
    name: isStep ? saidBy(item) || item.name || item.tool : 'waits for a person', by: isStep ? item.name || item.tool : item.tool,
    status: isStep ? (item.data['is_error'] === true ? 'failed' : item.status) : 'waiting',
    from: Date.parse(startedAt), to: endedAt ? Date.parse(endedAt) : end,
    attempts: isStep ? (numberOf(item.data['attempt']) ?? 1) : 1,
  };
}
