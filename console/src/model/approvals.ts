// What people are asked, and what became of it: pure.

import { fieldsOf, numberOf, textOf, type Fields } from './events';
import { termsOf, type Terms } from './terms';
import { lineText, parsed } from './text';

// What waits for a person, however it is known: from a run's log, or from the record.
export interface Asked {
  id: string;
  run: string;
  tool: string;
  arguments: unknown; // of long ones, in a log, the beginning
  sha256: string; // names the arguments that were seen
  reason: string; // the rule's
  expiresAt: number | undefined; // ms
  isQuestion: boolean; // what the agent does not know, not whether it may
  rule: string;
  terms: Terms | undefined; // of a log: only the record has them
}

// Of a question: what is asked, of whom, and the form of its answer.
export interface AskedQuestion { text: string; form: unknown; people: string[]; roles: string[]; fallback: unknown }

interface Record {
  id: string;
  run: string;
  tool: string;
  status: string;
  arguments?: unknown;
  arguments_sha256?: string;
  reason?: string;
  requested_at?: string;
  expires_at?: string | null;
  kind?: string;
  rule?: string;
}

export const askedOfRecord = (record: Record): Asked => ({
  id: record.id, run: record.run, tool: record.tool, arguments: record.arguments, sha256: record.arguments_sha256 ?? '', reason: record.reason ?? '',
  expiresAt: record.expires_at ? Date.parse(record.expires_at) : undefined,
  isQuestion: record.kind === 'question', rule: record.rule ?? '', terms: termsOf(record),
});

export const askedOfLog = (run: string, item: { id: string; tool: string; data: Fields }): Asked => ({
  id: item.id, run, tool: item.tool, arguments: item.data['arguments'], sha256: textOf(item.data['arguments_sha256']), reason: textOf(item.data['reason']),
  expiresAt: numberOf(item.data['expires_at_ms']), isQuestion: item.data['kind'] === 'question',
  rule: textOf(item.data['rule']), terms: undefined,
});

const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);

export function questionOf(record: { question?: unknown }): AskedQuestion | undefined {
  if (record.question === undefined) return undefined;
  const question = fieldsOf(record.question);
  return { text: textOf(question['text']), form: question['form'], people: textsOf(question['people']), roles: textsOf(question['roles']), fallback: question['default'] };
}

const MAX_LINE = 120; // characters

// In one line what a person would decide: the question, or the arguments of the call.
export function lineOfAsked(record: Record & { question?: unknown }): string {
  return lineText(questionOf(record)?.text || (parsed(record.arguments) ?? '')).slice(0, MAX_LINE);
}

// People and roles as one reads them: "ann, bob or whoever is approver". Empty: whoever may decide.
export function whoWords(people: readonly string[], roles: readonly string[]): string {
  const all = [...people, ...roles.map((role) => `whoever is ${role}`)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)!}`;
}

// What may be sent in the place of the arguments, or what is wrong with it.
export function editedArguments(text: string): { value?: Fields; wrong?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return { value: value as Fields };
    return { wrong: 'arguments are a JSON object' };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

export interface Change { name: string; before: string | undefined; after: string | undefined }

// What an edit changes, by the names of the arguments.
export function changesOf(before: unknown, after: Fields): Change[] {
  const was = parsed(before);
  const old = (was !== null && typeof was === 'object' ? was : {}) as Fields;
  const told = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value));
  return [...new Set([...Object.keys(old), ...Object.keys(after)])]
    .map((name) => ({ name, before: told(old[name]), after: told(after[name]) }))
    .filter((change) => change.before !== change.after);
}

// What is asked by one run: a batch, of which each part is decided by itself.
export interface AskedGroup<R extends Record> { run: string; rows: R[] }

// In the order of the first of each run; those of a run in the order in which they were asked.
export function groupsOf<R extends Record>(rows: readonly R[]): AskedGroup<R>[] {
  const groups = new Map<string, R[]>();
  for (const row of rows) groups.set(row.run, [...(groups.get(row.run) ?? []), row]);
  return [...groups].map(([run, of]) => ({ run, rows: of.toSorted((a, b) => (a.requested_at ?? '').localeCompare(b.requested_at ?? '') || a.id.localeCompare(b.id)) }));
}

// Whoever looks at a list does not lose what he looks at: what is pending no more stays where it stood. `left`: those
// whose end is to be asked for.
export function keepSeen<R extends Record>(seen: readonly R[], pending: readonly R[]): { rows: R[]; left: string[] } {
  const now = new Map(pending.map((row) => [row.id, row]));
  const known = new Set(seen.map((row) => row.id));
  const rows = seen.map((row) => (row.status === 'pending' ? (now.get(row.id) ?? row) : row));
  const news = pending.filter((row) => !known.has(row.id));
  // Newest first: what comes while somebody looks is newer than the first, pages that are asked for are older than the last.
  const newest = seen[0]?.requested_at ?? '';
  const above = news.filter((row) => seen.length > 0 && (row.requested_at ?? '') >= newest);
  const below = news.filter((row) => !above.includes(row));
  return { rows: [...above, ...rows, ...below], left: seen.filter((row) => row.status === 'pending' && !now.has(row.id)).map((row) => row.id) };
}
