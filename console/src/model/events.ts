// An event of a run's log, as the API's streams give it.
export interface RunEvent {
  run: string;
  seq: number;
  type: string;
  at: string;
  data: unknown;
}

// Types in a run's log. A browser's EventSource hands over only the types that it was told of:
// events.test.ts compares them with the server's.
export const EVENT_TYPES = [
  'run.waiting', 'run.superseded', 'run.batched', 'run.started', 'run.completed', 'run.failed', 'run.canceled', 'run.closed',
  'step.started', 'step.waiting', 'step.retrying', 'step.progress', 'step.completed', 'step.failed', 'step.detached', 'plan.stage',
  'run.paused', 'run.parked', 'run.resumed', 'run.forked', 'message.received', 'message.seen',
  'effect.reconciled', 'effect.undone', 'effect.not_undone',
  'approval.requested', 'approval.counted', 'approval.escalated', 'approval.applied', 'approval.decided', 'policy.ruled', 'delta',
] as const;

export type Fields = Record<string, unknown>;

export const fieldsOf = (value: unknown): Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
export const numberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};
