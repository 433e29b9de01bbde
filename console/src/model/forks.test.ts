import { expect, test } from 'vitest';
import { callOfStep, canFork, editsAt, effectsByFate, forkBody, forkFrom, inheritedWords, placeWords, type Effect, type ForkDraft } from './forks';
import { RunLog, type StepItem } from './run_log';

const DRAFT: ForkDraft = { at: 'start', edit: 'none', text: '', call: '', isError: false, version: '', reason: '' };

function told(): RunLog {
  const log = new RunLog('r');
  let seq = 0;
  const event = (type: string, data: unknown) => log.apply({ run: 'r', seq: ++seq, type, at: new Date(seq * 1000).toISOString(), data });
  event('run.started', { agent: 'a', input: 'pay ann' });
  event('step.completed', { step: 1, kind: 'model', message: 2 });
  for (const [step, name] of [[2, 'pay'], [3, 'pay'], [4, 'look']] as const) event('step.completed', { step, kind: 'sql', name });
  event('message.received', { id: 'm', text: 'and bob' });
  event('message.seen', { id: 'm', step: 5 });
  event('step.completed', { step: 5, kind: 'model', message: 7 });
  event('step.started', { step: 6, kind: 'sql', name: 'pay' });
  return log;
}
const step = (log: RunLog, number: number) => log.items.find((item) => item.key === `step:${number}`) as StepItem;
const effect = (message: number, call: string, tool: string, would: Effect['would'] = 'make'): Effect => ({ message, call, tool, class: 'pure', would });

test('what is sent says where, what is different, and nothing else', () => {
  expect(forkBody(DRAFT)).toEqual({ at: 'start' });
  expect(forkBody({ ...DRAFT, at: { step: 3 }, version: 'current', reason: ' why ' })).toEqual({ at: { step: 3 }, version: 'current', reason: 'why' });
  expect(forkBody({ ...DRAFT, edit: 'prompt', text: 'pay bob' })).toEqual({ at: 'start', edit: { prompt: 'pay bob' } });
  expect(forkBody({ ...DRAFT, at: { message: 5 }, edit: 'message', text: 'more' })).toEqual({ at: { message: 5 }, edit: { message: 'more' } });
  // The call says where; its result may be empty.
  expect(forkBody({ ...DRAFT, at: { step: 3 }, edit: 'tool_result', call: 'c1', isError: true })).toEqual({ edit: { tool_result: { call: 'c1', text: '', is_error: true } } });
});

test('what is not said yet is not sent', () => {
  expect(forkBody({ ...DRAFT, edit: 'prompt', text: '  ' })).toBe(undefined);
  expect(forkBody({ ...DRAFT, edit: 'message' })).toBe(undefined);
  expect(forkBody({ ...DRAFT, edit: 'tool_result', text: 'x' })).toBe(undefined);
  expect(editsAt('start')).toContain('prompt');
  expect(editsAt({ step: 1 })).not.toContain('prompt');
  expect(placeWords({ message: 4 })).toBe('behind message 4');
});

test('a fork begins at an item where something can go on', () => {
  const log = told();
  const from = (key: string) => forkFrom(log.items, log.items.find((item) => item.key === key)!);
  expect(from('input')).toEqual({ at: 'start', edit: 'none', text: 'pay ann' });
  expect(from('step:3')).toEqual({ at: { step: 3 }, edit: 'none', text: '' });
  expect(from('message:m')).toEqual({ at: { step: 4 }, edit: 'message', text: 'and bob' });
  expect(from('step:6')).toBe(undefined); // it is under way
  expect(log.items.filter(canFork).map((item) => item.key)).toEqual(['input', 'step:1', 'step:2', 'step:3', 'step:4', 'message:m', 'step:5']);
});

test('a step is found among the calls by its turn, its tool and its place there', () => {
  const log = told();
  const effects = [effect(2, 'c1', 'pay'), effect(2, 'c2', 'pay'), effect(2, 'c3', 'look'), effect(7, 'c1', 'pay')];
  expect([2, 3, 4, 6].map((number) => callOfStep(log.items, step(log, number), effects))).toEqual(['c1', 'c2', 'c3', 'c1']);
  // One of them was denied and is no step: nobody knows which.
  expect(callOfStep(log.items, step(log, 3), [...effects, effect(2, 'c4', 'pay')])).toBe('');
});

test('what would be done stands before what is reused', () => {
  const groups = effectsByFate([effect(2, 'a', 'look', 'reuse'), effect(4, 'b', 'pay', 'ask'), effect(4, 'c', 'pay', 'make'), effect(2, 'd', 'look', 'reuse')]);
  expect(groups.map((group) => [group.fate, group.effects.length])).toEqual([['make', 1], ['ask', 1], ['reuse', 2]]);
  expect(inheritedWords({ model_calls: 0 })).toBe('nothing was used before it');
  expect(inheritedWords({ model_calls: 1, input_tokens: 1000, output_tokens: 234, cost: { usd: '0.01' } })).toBe('1 model call and 1,234 tokens, $0.01, were used before it');
});
