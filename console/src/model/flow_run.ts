// How the blocks of a flow stand in a run of it: from the run's log alone. Pure.

import { numberOf, textOf } from './events';
import { DONE, ERROR, stepOf, type Block, type Graph } from './flow';
import type { RunLog, StepItem, StepStatus } from './run_log';

// 'waiting': something before it is open; 'skipped': the way that it is on was not taken; 'unreached': the run ended before.
export type BlockStatus = StepStatus | 'waiting' | 'skipped' | 'unreached';

export interface BlockState {
  status: BlockStatus;
  outlet: string; // the one that was taken; empty until it has ended
  attempts: number;
  startedAt: string;
  endedAt: string;
  error: string;
  step: StepItem | undefined;
}

const SETTLED: ReadonlySet<BlockStatus> = new Set(['completed', 'failed', 'skipped']);

function ofStep(step: StepItem): BlockState {
  const { status, startedAt, endedAt, data } = step;
  const outlet = status === 'completed' ? textOf(data['outlet']) || DONE : status === 'failed' ? ERROR : '';
  const error = status === 'failed' || status === 'retrying' ? textOf(data['error']) : '';
  return { status, outlet, attempts: numberOf(data['attempt']) ?? 1, startedAt, endedAt, error, step };
}

// As src/flows/run/readiness.cc says it: nobody tells of a block that is skipped until the run is over.
function isSkipped(block: Block, states: readonly BlockState[]): boolean {
  const { needs, any } = block;
  if (needs.length === 0 || !needs.every((need) => SETTLED.has(states[need.block]!.status))) return false;
  const isMet = (need: { block: number; outlet: string }) => states[need.block]!.outlet === need.outlet;
  return !(any ? needs.some(isMet) : needs.every(isMet));
}

export function statesOf(graph: Graph, log: RunLog): BlockState[] {
  const steps = new Map(log.items.flatMap((item) => (item.kind === 'step' ? [[item.step, item] as const] : [])));
  const states: BlockState[] = graph.blocks.map((block) => {
    const step = steps.get(stepOf(block.at));
    return step ? ofStep(step) : { status: log.closed ? 'unreached' : 'waiting', outlet: '', attempts: 0, startedAt: '', endedAt: '', error: '', step: undefined };
  });
  for (const at of graph.order) {
    const state = states[at]!;
    if (!state.step && isSkipped(graph.blocks[at]!, states)) states[at] = { ...state, status: 'skipped' };
  }
  return states;
}

// Whether a line of the graph was gone along; undefined: not known yet.
export function wasTaken(states: readonly BlockState[], from: number, outlets: readonly string[]): boolean | undefined {
  const { status, outlet } = states[from]!;
  return SETTLED.has(status) ? outlets.includes(outlet) : undefined;
}

// How many stand how, in words for a line above the graph.
export function countsOf(states: readonly BlockState[]): [BlockStatus, number][] {
  const counts = new Map<BlockStatus, number>();
  for (const { status } of states) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts];
}
