// Where a run is forked and what is different from there on: what is sent, and what the dry run says of it. Pure.

import { fieldsOf, numberOf, textOf } from './events';
import type { Item, StepItem } from './run_log';
import { dollars } from './text';

export type ForkAt = 'start' | 'failed' | { step: number } | { message: number };
export type ForkEdit = 'none' | 'prompt' | 'message' | 'tool_result';

export interface ForkDraft {
  at: ForkAt;
  edit: ForkEdit;
  text: string; // the prompt, the message, the result
  call: string; // of 'tool_result'
  isError: boolean;
  version: string; // empty: the one the run had
  reason: string;
}

export interface ForkBody {
  at?: ForkAt;
  edit?: { prompt: string } | { message: string } | { tool_result: { call: string; text: string; is_error: boolean } };
  version?: string;
  reason?: string;
}

// A prompt stands at a user's message; behind other places something can be said.
export const editsAt = (at: ForkAt): ForkEdit[] => (at === 'start' ? ['none', 'prompt', 'tool_result'] : ['none', 'message', 'tool_result']);

// Undefined: something is not said yet.
export function forkBody({ at, edit, text, call, isError, version, reason }: ForkDraft): ForkBody | undefined {
  const rest = { ...(version ? { version } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) };
  if (edit === 'none') return { at, ...rest };
  if (edit === 'tool_result') return call ? { edit: { tool_result: { call, text, is_error: isError } }, ...rest } : undefined; // the call says where
  if (text.trim() === '') return undefined;
  return { at, edit: edit === 'prompt' ? { prompt: text } : { message: text }, ...rest };
}

export function placeWords(at: ForkAt): string {
  if (at === 'start') return 'its beginning';
  if (at === 'failed') return 'where it failed';
  return 'step' in at ? `behind step ${at.step}` : `behind message ${at.message}`;
}

export type Fate = 'reuse' | 'make' | 'ask' | 'deny' | 'unknown_tool';
export interface Effect { message: number; call: string; tool: string; class: string | null; would: Fate; edited?: boolean; reason?: string }

const FATES: readonly [Fate, string][] = [
  ['make', 'made'], ['ask', 'asked of a person first'], ['deny', 'denied'], ['unknown_tool', 'not made: the version has no such tool'], ['reuse', 'reused, not made again'],
];
export const fateWords = (fate: Fate): string => FATES.find(([one]) => one === fate)?.[1] ?? fate;

// In the order of what matters: what would be done first.
export function effectsByFate(effects: readonly Effect[]): { fate: Fate; words: string; effects: Effect[] }[] {
  return FATES.map(([fate, words]) => ({ fate, words, effects: effects.filter((one) => one.would === fate) })).filter((group) => group.effects.length > 0);
}

// Which call a step made: by the message that asked for it, and its place among those of its tool there. Empty: nobody knows.
export function callOfStep(items: readonly Item[], step: StepItem, effects: readonly Effect[]): string {
  const steps = items.filter((item): item is StepItem => item.kind === 'step');
  const turn = steps.findLastIndex((one) => one.tool === 'model' && one.step < step.step);
  const message = numberOf(steps[turn]?.data['message']);
  const next = steps.findIndex((one, at) => at > turn && one.tool === 'model');
  const same = steps.slice(turn + 1, next < 0 ? undefined : next).filter((one) => one.tool !== 'model' && one.within === undefined && one.name === step.name);
  const calls = effects.filter((one) => one.message === message && one.tool === step.name);
  return message !== undefined && calls.length === same.length ? (calls[same.indexOf(step)]?.call ?? '') : '';
}

// Whether something can go on from an item: not from one that is under way, nor from what no model call has read, nor from
// within code, which is one call.
export const canFork = (item: Item): boolean =>
  item.within === undefined && (item.kind === 'input' || (item.kind === 'step' && (item.status === 'completed' || item.status === 'failed')) || (item.kind === 'message' && item.seen));

// Where a fork from this item begins, and with what in the field; undefined: nothing goes on from it.
export function forkFrom(items: readonly Item[], item: Item): Pick<ForkDraft, 'at' | 'edit' | 'text'> | undefined {
  if (!canFork(item)) return undefined;
  switch (item.kind) {
    case 'input': return { at: 'start', edit: 'none', text: item.text };
    case 'step': return { at: { step: item.step }, edit: 'none', text: '' };
    case 'message': {
      // It was said behind the turn before it: there something else is said.
      const before = items.findLast((one) => one.kind === 'step' && one.step < item.step);
      return before ? { at: { step: before.step }, edit: 'message', text: item.text } : { at: 'start', edit: 'none', text: '' };
    }
    default: return undefined;
  }
}

// What was used before the place, in words.
export function inheritedWords(inherited: unknown): string {
  const used = fieldsOf(inherited);
  const calls = numberOf(used['model_calls']) ?? 0;
  const tokens = (numberOf(used['input_tokens']) ?? 0) + (numberOf(used['output_tokens']) ?? 0);
  const usd = textOf(fieldsOf(used['cost'])['usd']);
  if (calls === 0) return 'nothing was used before it';
  return `${calls} model call${calls === 1 ? '' : 's'} and ${tokens.toLocaleString('en')} token${tokens === 1 ? '' : 's'}${usd ? `, ${dollars(usd)},` : ''} were used before it`;
}
