// The record of who did what, as it is asked for and written to a file: pure.

export interface RecordFilter { from?: string | undefined; until?: string | undefined; principal?: string | undefined; kind?: string | undefined; subject?: string | undefined }
export interface RecordRow { id: number; at: string; principal: string; kind: string; subject: string; detail?: unknown }

// What was done, or how that begins: docs/guide/identity.md.
export const KINDS: readonly [string, string][] = [
  ['run.', 'Runs'], ['approval.', 'Approvals'], ['identity.', 'People, keys, sessions'], ['secret.', 'Secrets'], ['grant.', 'Grants'], ['label.', 'Labels'], ['memory.', 'Memory'],
];

const HOUR_MS = 3_600_000;
export const RANGES: readonly [string, number][] = [['1 day', 24 * HOUR_MS], ['7 days', 7 * 24 * HOUR_MS], ['30 days', 30 * 24 * HOUR_MS]];
export const BEGINNING = '1970-01-01T00:00:00.000Z';

// Unless somebody says otherwise: the last day, from a full minute on, so that the same is asked for again.
export const sinceOf = (filter: RecordFilter, now: number): string => filter.from ?? new Date(Math.floor((now - RANGES[0]![1]) / 60_000) * 60_000).toISOString();

// One row a line, with the names and in the order of `holdfast audit export`.
export const linesOf = (rows: readonly RecordRow[]): string =>
  rows.map(({ id, at, principal, kind, subject, detail }) => `${JSON.stringify({ id, at, principal, kind, subject, detail })}\n`).join('');

// The run that a row is about; undefined: it is about something else.
export const runOf = ({ kind, subject }: RecordRow): string | undefined => (kind.startsWith('run.') && subject ? subject : undefined);

// A moment as an input of the browser has it, in the time of the place.
export function localOf(iso: string | undefined): string {
  if (!iso) return '';
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
export const momentOfLocal = (typed: string): string | undefined => (typed && !Number.isNaN(Date.parse(typed)) ? new Date(typed).toISOString() : undefined);
