import { expect, test } from 'vitest';
import type { RunEvent } from './events';
import { RunLog, type ApprovalItem, type EndItem, type StepItem } from './run_log';
import { timelineOf } from './timeline';

let seq = 0;
const event = (type: string, data: unknown): RunEvent => ({ run: 'r', seq: ++seq, type, at: new Date(1000 * seq).toISOString(), data });
const delta = (offset: number, text: string, attempt = 1) => event('delta', { step: '1', attempt, offset, text });
const logOf = (...events: RunEvent[]) => {
  const log = new RunLog('r');
  for (const one of events) log.apply(one);
  return log;
};
const step = (log: RunLog, number = 1) => log.items.find((item) => item.key === `step:${number}`) as StepItem;
const kinds = (log: RunLog) => log.items.map((item) => item.key);

test('text that comes again after a reconnect is not doubled, whatever its bytes', () => {
  const log = logOf(delta(0, 'Caf\u00e9 '), delta(6, 'au'), delta(0, 'Caf\u00e9 '), delta(0, 'Caf\u00e9 au lait'));
  expect(step(log).stream?.text).toBe('Caf\u00e9 au lait');
});

test('a delta of nothing new changes nothing', () => {
  const log = logOf(delta(0, 'abc'));
  const before = log.items;
  expect(log.apply(delta(0, 'abc'))).toBe(false);
  expect(log.items).toBe(before);
});

test('a new attempt replaces the text of the one before, and says so', () => {
  const log = logOf(delta(0, 'Alpha beta'), delta(0, 'Alp', 2), delta(10, ' gamma', 1));
  expect(step(log).stream).toMatchObject({ text: 'Alp', attempt: 2, replaced: true });
});

test('what was streamed gives way to what was committed', () => {
  const log = logOf(delta(0, 'Hel'), event('step.completed', { step: 1, kind: 'model', text: 'Hello' }), delta(3, 'lo'));
  expect(step(log)).toMatchObject({ status: 'completed', stream: null, data: { text: 'Hello' } });
});

test('an event counts once', () => {
  const started = event('run.started', { agent: 'a', input: 'x' });
  const log = logOf(started);
  const version = log.version;
  expect(log.apply(started)).toBe(false);
  expect(log.version).toBe(version);
});

test('steps stand in their order, a question before its step, a message before the step that saw it', () => {
  const log = logOf(
    event('run.started', { agent: 'a', input: 'x' }), event('step.started', { step: 1, kind: 'model' }), event('step.started', { step: 3, kind: 'sql', name: 'b' }),
    event('approval.requested', { approval: 'p', step: 2, tool: 'pay' }), event('step.started', { step: 2, kind: 'sql', name: 'pay' }),
    event('message.received', { id: 'm', text: 'stop' }), event('message.seen', { id: 'm', step: 4 }), event('step.started', { step: 4, kind: 'model' }),
    event('run.completed', { output: 'ok' }), event('step.completed', { step: 3 }));
  expect(kinds(log)).toEqual(['input', 'step:1', 'approval:p', 'step:2', 'step:3', 'message:m', 'step:4', 'end']);
});

test('a closed run has no open step and no open question', () => {
  const log = logOf(
    event('step.started', { step: 1, kind: 'model' }), event('approval.requested', { approval: 'p', step: 2, tool: 'pay' }),
    event('run.closed', { status: 'terminated', error: { type: 'T', message: 'enough' } }), event('step.retrying', { step: 1 }));
  expect(step(log).status).toBe('stopped');
  expect((log.items.find((item) => item.kind === 'approval') as ApprovalItem).status).toBe('obsolete');
  expect(log.items.at(-1) as EndItem).toMatchObject({ status: 'terminated', text: 'enough' });
  expect(log.pending).toBe(false);
});

test('a map says how far it is, and is over when it is over', () => {
  const events = [event('step.started', { step: 1, kind: 'map' }), event('step.progress', { step: 1, part: 1, of: 3 })];
  expect(step(logOf(...events)).status).toBe('running');
  const log = logOf(...events, event('step.failed', { step: 1, error: 'item 2' }), event('step.progress', { step: 1, part: 3, of: 3 }));
  expect(step(log).status).toBe('failed');
});

test('items that are runs are known of the step, also when they end behind it', () => {
  const told = (part: number, errors: number) => event('step.progress', { step: 1, part, of: 2, items: 0, errors, item_run: `r.each.${part - 1}` });
  const log = logOf(
    event('run.started', { agent: 'flow:f', parent: { run: 'above', step: 4 }, item: { of: 'outer', index: 7 } }),
    event('step.started', { step: 1, kind: 'map', name: 'each' }), told(1, 0), told(2, 0), event('step.failed', { step: 1, error: 'item 1' }), told(2, 1));
  expect(log.parent).toEqual({ run: 'above', step: 4, of: 'outer', index: 7 });
  expect(step(log).status).toBe('failed');
  expect([...step(log).itemRuns!.known.values()].map((one) => one.status)).toEqual(['running', 'failed']);
  log.clear();
  expect(log.parent).toBe(undefined);
});

test('what code calls stands below it, though other steps began meanwhile', () => {
  const log = logOf(
    event('step.started', { step: 1, kind: 'model' }), event('step.started', { step: 2, kind: 'code', name: 'run' }), event('step.started', { step: 3, kind: 'sql', name: 'beside' }),
    event('approval.requested', { approval: 'p', step: 5, within: 2, tool: 'pay' }), event('step.started', { step: 4, within: 2, kind: 'sql', name: 'find' }),
    event('approval.decided', { approval: 'p', step: 5, outcome: 'approved' }), event('step.started', { step: 5, within: 2, kind: 'http', name: 'pay' }), event('step.completed', { step: 5, result: 'ok' }),
    event('step.started', { step: 6, kind: 'model' }));
  expect(kinds(log)).toEqual(['step:1', 'step:2', 'step:4', 'approval:p', 'step:5', 'step:3', 'step:6']);
  expect(log.items.map((item) => item.within)).toEqual([undefined, undefined, 2, 2, 2, undefined, undefined]);
  expect(timelineOf(log, 0, 200).rows.map((row) => row.within)).toEqual([undefined, undefined, 2, 2, 2, undefined, undefined]);
});

test('a row of the timeline is called by what the model said, else by who it is', () => {
  const log = logOf(
    event('step.started', { step: 1, kind: 'model', name: 'gpt' }), event('step.completed', { step: 1, kind: 'model', text: '## So\n\n- The **order** is\nthere.' }),
    event('step.started', { step: 2, kind: 'sql', name: 'look' }), event('step.started', { step: 3, kind: 'model', name: 'gpt' }), event('step.completed', { step: 3, kind: 'model', text: ' {"a": 1}' }));
  expect(timelineOf(log, 0, 200).rows.map((row) => [row.name, row.by])).toEqual([['So The order is there.', 'gpt'], ['look', 'look'], ['gpt', 'gpt']]);
});

test('a reset begins anew', () => {
  const log = logOf(delta(0, 'abc'), event('run.closed', { status: 'failed' }));
  log.clear();
  expect(log.items).toEqual([]);
  log.apply({ ...delta(0, 'abc'), seq: 1 });
  expect(step(log)).toMatchObject({ status: 'running', stream: { text: 'abc' } });
});

test('ten thousand steps are appended, not sorted again', () => {
  const log = new RunLog('r');
  for (let i = 1; i <= 10_000; i++) log.apply(event('step.started', { step: i, kind: 'sql' }));
  expect(log.items.length).toBe(10_000);
  expect(log.items.at(-1)?.key).toBe('step:10000');
});

test('a message that is seen is the one that was received', () => {
  const log = logOf(event('message.received', { by: 'ada', text: 'go on' }), event('message.received', { by: 'ada', text: 'stop' }), event('message.received', { by: 'ada', text: 'go on' }),
    event('message.seen', { id: 'm1', by: 'ada', text: 'go on', step: 2 }), event('message.seen', { id: 'm2', by: 'ada', text: 'stop', step: 2 }));
  const told = log.items.map((item) => (item.kind === 'message' ? `${item.text} ${item.seen}` : ''));
  expect(told.toSorted()).toEqual(['go on false', 'go on true', 'stop true']);
  const early = logOf(event('message.seen', { id: 'm', by: 'ada', text: 'stop', step: 2 }), event('message.received', { id: 'm', by: 'ada', text: 'stop' }));
  expect(early.items).toMatchObject([{ kind: 'message', seen: true }]);
});

test('what is counted of a question, and who may decide as well, goes to it', () => {
  const log = logOf(
    event('approval.requested', { approval: 'p', step: 2, tool: 'pay' }), event('approval.counted', { approval: 'p', have: 1, need: 2, by: 'ann' }),
    event('approval.escalated', { approval: 'p', level: 1, to: ['admin'] }), event('approval.counted', { approval: 'of another log' }),
  );
  expect(log.items.map((item) => item.kind)).toEqual(['approval', 'note', 'note', 'note']);
  expect(log.items[0]).toMatchObject({ kind: 'approval', status: 'pending', data: { have: 1, need: 2, level: 1 } });
  expect(kinds(logOf(event('approval.applied', { approval: 'p', step: 3, tool: 'pay', allowed_by: 'ann' })))).toEqual([`note:${seq}`]);
});
