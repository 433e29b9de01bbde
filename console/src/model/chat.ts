// A conversation as it reads: pure.

import { textOf } from './events';
import type { EndItem, Item } from './run_log';
import { lineText, parsed } from './text';

interface Row { input: unknown }
export const lineOf = (run: Row): string => lineText(run.input).slice(0, 120);

export interface Turn {
  run: string;
  waits: boolean; // it waits for its turn, or has it
  text?: string; // what was sent, until its log says it
}

// The server's list (newest first) and what was sent from here and is not in it yet; oldest first.
export function turnsOf(listed: readonly { run?: string; in_line?: boolean }[], sent: readonly { run: string; text: string }[], first: string | undefined): Turn[] {
  const known = new Map(sent.map((one) => [one.run, one.text]));
  const turns: Turn[] = listed.flatMap((one) => (one.run === undefined ? [] : [{ run: one.run, waits: one.in_line === true, ...(known.has(one.run) ? { text: known.get(one.run)! } : {}) }])).reverse();
  if (first !== undefined && !turns.some((turn) => turn.run === first)) turns.unshift({ run: first, waits: false });
  const there = new Set(turns.map((turn) => turn.run));
  return [...turns, ...sent.filter((one) => !there.has(one.run)).map((one) => ({ run: one.run, waits: true, text: one.text }))];
}

const WATCHED = 3;

// Whose logs are followed, a stream carries few: those whose turn it is or comes next, and the last.
export function watchedOf(turns: readonly Turn[]): Set<string> {
  const watched = turns.filter((turn) => turn.waits).slice(0, WATCHED - 1).map((turn) => turn.run);
  const last = turns.at(-1);
  return new Set(last ? [...watched, last.run] : watched);
}

// A result that is what the model said last is not said twice.
function endSays(items: readonly Item[], end: EndItem): boolean {
  if (end.status !== 'completed') return true;
  const said = items.findLast((item) => item.kind === 'step' && item.tool === 'model');
  const text = said?.kind === 'step' ? (said.stream?.text ?? textOf(said.data['text'])) : '';
  return text === '' || (text.trim() !== end.text.trim() && JSON.stringify(parsed(text)) !== JSON.stringify(parsed(end.text)));
}

// What of a turn is worth reading in a conversation: that it waited is over when it has begun.
export function saidOf(items: readonly Item[]): Item[] {
  const begun = items.some((item) => item.kind === 'step');
  return items.filter((item) => (item.kind === 'end' ? endSays(items, item) : !(begun && item.kind === 'note' && item.type === 'run.waiting')));
}
